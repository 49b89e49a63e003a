"""Whatever an operator gives to a verb: it is taken as what it means, or refused in a sentence."""

import pytest

from fshalib.errors import ArgumentError
from fshalib.schema import arguments


class Refused(Exception):
    """Salt's own, in a test."""


@arguments.verb(RuntimeError, Refused)
def act(resource=None, file=None, patience=60, force=False, test=None, **kwargs):
    """Do something."""
    return {**locals()} | kwargs


def test_without_arguments_nothing_changes():
    assert act() == {"resource": None, "file": None, "patience": 60, "force": False, "test": None,
                     "kwargs": {}}  # fmt: skip
    assert act.__doc__ == "Do something."


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        *(("test", value, True) for value in (True, 1, "True", "yes", "on", "1")),
        *(("force", value, False) for value in (False, 0, "false", "No", "off", "0")),
        ("test", None, None),
        ("resource", 5, "5"),
        ("resource", None, None),
        ("patience", "30", 30),
        ("patience", "2.5", 2.5),
        ("file", "/srv/x", "/srv/x"),
    ],
)
def test_what_is_meant(name, value, expected):
    found = act(**{name: value})[name]
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("test", ["", " ", "maybe", 5, -1, 1.5, [], ["x"], {"a": 1}], "true or false"),
        ("force", ["", "Flase", {}, 2], "true or false"),
        ("resource", [[], ["x"], {"a": 1}, True, "a\0b", "a\nb", b"x"], "one line of text"),
        ("file", [5, "", " ", "a\0b", True, [], float("nan")], "the path of a file"),
        ("patience", [-1, "x", "", None, True, float("nan"), "inf", [], {}], "a number of seconds"),
    ],
)
def test_what_is_nothing_of_the_kind(name, values, expected):
    for value in values:
        with pytest.raises(Refused, match=f"^{name}: {expected} is expected, not "):
            act(**{name: value})


def test_a_long_value_is_cut():
    with pytest.raises(Refused) as caught:
        act(test="x" * 5000)
    assert len(str(caught.value)) < 200


def test_what_has_no_default_is_needed():
    @arguments.checked
    def write(file):
        return file

    assert write("x") == "x"
    with pytest.raises(ArgumentError, match=r"^file: the path of a file is expected, not nothing"):
        write(None)


def test_by_position_as_well():
    with pytest.raises(Refused, match=r"^resource: "):
        act(["x"])
    with pytest.raises(TypeError):
        act(1, 2, 3, 4, 5, 6)


def test_other_arguments_are_the_verbs_own():
    assert act(other=["x"])["other"] == ["x"]
    with pytest.raises(ArgumentError):
        arguments.checked(lambda test: test)("maybe")
