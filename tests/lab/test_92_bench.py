"""Every part of the bench runs, at its smallest size; its figures are not judged."""

from __future__ import annotations

import pytest

from bench.__main__ import PARTS, SMALLEST, measure


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_the_bench(lab, part):
    lines = measure(lab, part, SMALLEST)
    assert any("ratio" in line or "of 2" in line for line in lines)
