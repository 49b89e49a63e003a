"""The documents name everything that there is, and every link in them leads somewhere."""

import ast
import re
from pathlib import Path

import pytest

from fshalib.events.event import KINDS

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))
REFERENCE = "\n".join(
    (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/reference.md")
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
ALIASES = re.compile(r"__func_alias__ = ({[^}]*})")


def text_of(document):
    return re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)


def anchor(heading):
    """Return the anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(document):
    return {anchor(h) for h in re.findall(r"^#+ (.*)$", text_of(document), flags=re.M)}


def links():
    for document in DOCUMENTS:
        for target in LINK.findall(text_of(document)):
            if "://" not in target:
                yield pytest.param(document, target, id=f"{document.name}-{target}")


@pytest.mark.parametrize(("document", "target"), links())
def test_a_link_leads_somewhere(document, target):
    path, _, fragment = target.partition("#")
    file = (document.parent / path).resolve() if path else document
    assert file.exists()
    assert not fragment or fragment in anchors(file)


def test_the_index_names_every_document():
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    others = {d.name for d in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert others == {name for name in others if f"]({name})" in index}


def public_functions(file):
    """Yield the public functions of a module of Salt, by the names that Salt gives them."""
    source = file.read_text(encoding="utf-8")
    match = ALIASES.search(source)
    aliases = ast.literal_eval(match[1]) if match else {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield aliases.get(node.name, node.name), ast.get_docstring(node) or ""


def commands():
    for folder in ("_modules", "_states"):
        for file in sorted((ROOT / folder).glob("*.py")):
            yield from (f"{file.stem}.{name}" for name, _ in public_functions(file))
    # A runner has no public helpers: salt-run offers whatever is public.
    for name, _ in public_functions(ROOT / "_runners/fsha.py"):
        yield f"salt-run fsha.{name}"


def written_names(text):
    """Return the names in a text; a name with a leading dot belongs to the module before it."""
    module, names = "", set()
    for code in re.findall(r"`([^`\n]+)`", text):
        if code.startswith("."):
            names.add(f"{module}{code}")
        else:
            names.add(code)
            module = code.rpartition(".")[0]
    return names


WRITTEN = written_names(REFERENCE)


@pytest.mark.parametrize("name", commands())
def test_the_reference_names_every_command_and_state(name):
    assert name in WRITTEN


def test_the_reference_names_no_other_command_or_state():
    tables = (ROOT / "docs/reference.md").read_text(encoding="utf-8").partition("## States")[2]
    first_column = "\n".join(re.findall(r"^\| (`.*?) \|", tables, re.M))
    assert written_names(first_column) == set(commands())


def slses():
    """Return the names of the SLS."""
    for file in sorted((ROOT / "fsha").rglob("*.sls")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "init" else parts)


@pytest.mark.parametrize("name", slses())
def test_the_reference_names_every_sls(name):
    assert name in WRITTEN


def test_events_names_every_kind():
    text = (ROOT / "docs/events.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^## (\w+)$", text, re.M)) == set(KINDS)
