from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.standin.harness import Node, nodes


@pytest.fixture
def make_node(tmp_path: Path) -> Iterator[Callable[..., Node]]:
    with nodes(tmp_path) as make:
        yield make


@pytest.fixture
def node(make_node: Callable[..., Node]) -> Node:
    """A stand-in that is up, its profile RUNNING."""
    return make_node().start()


@pytest.fixture(scope="module")
def shared_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One stand-in for many questions that change nothing."""
    with nodes(tmp_path_factory.mktemp("shared")) as make:
        yield make().start()
