"""Every error of the library stands in one tree, and carries the facts of its text as data."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

from fshalib import errors

LIBRARY = Path(__file__).parents[2] / "_utils/fshalib"


def exceptions():
    """Return every exception class that a module of the library defines."""
    files = (file.relative_to(LIBRARY.parent) for file in LIBRARY.rglob("*.py"))
    names = {".".join(file.with_suffix("").parts).removesuffix(".__init__") for file in files}
    modules = [importlib.import_module(name) for name in sorted(names)]
    return [
        member
        for module in modules
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, BaseException) and member.__module__ == module.__name__
    ]


EXCEPTIONS = exceptions()


def name(cls):
    return f"{cls.__module__.removeprefix('fshalib.')}.{cls.__name__}"


def test_they_are_found():
    assert len(EXCEPTIONS) > 40


@pytest.mark.parametrize("cls", EXCEPTIONS, ids=name)
def test_an_error_is_in_the_tree(cls):
    assert issubclass(cls, errors.FshaError)
    assert cls.__doc__


@pytest.mark.parametrize("cls", [cls for cls in EXCEPTIONS if "__init__" in vars(cls)], ids=name)
def test_an_error_carries_what_its_text_is_made_of(cls):
    source = ast.parse(inspect.getsource(cls))
    kept = {
        node.attr
        for node in ast.walk(source)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    assert set(inspect.signature(cls.__init__).parameters) - {"self"} <= kept


def test_the_facts_are_data():
    error = type("Lost", (errors.RunError,), {})("the node is lost")
    error.node, error._private = "fs1", 1
    assert error.data == {"node": "fs1"}


class Failed(Exception):
    """Somebody else's error."""


class Wrong(Exception):
    """Somebody else's error for an argument."""


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (errors.FshaError, Failed),
        (errors.RunError, Failed),
        (errors.InputError, Failed),
        (errors.ArgumentError, Wrong),
        (KeyError, KeyError),
    ],
)
def test_the_decorator_raises_somebody_elses_errors(raised, expected):
    @errors.raising(Failed, Wrong)
    def verb():
        raise raised("what it was")

    with pytest.raises(expected, match="what it was") as caught:
        verb()
    assert caught.value.__cause__ is None or isinstance(caught.value.__cause__, raised)


def test_the_decorator_leaves_a_function_as_it_looks():
    def verb(name, limit=20, **kwargs):
        """Say what it does."""
        return name, limit, kwargs

    decorated = errors.raising(Failed, Wrong)(verb)
    assert decorated("a", 3, by="b") == ("a", 3, {"by": "b"})
    assert inspect.signature(decorated) == inspect.signature(verb)
    assert (decorated.__name__, decorated.__doc__) == ("verb", "Say what it does.")
