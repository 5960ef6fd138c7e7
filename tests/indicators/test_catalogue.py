"""The catalogue: complete labels, known units, one definition each."""

from __future__ import annotations

from fractions import Fraction

import pytest

from povmon.errors import PovmonError
from povmon.indicators import CATALOGUE, indicator
from povmon.indicators.multidimensional import definition, index

UNITS = {"share", "money", "index", "persons", "m2", "yuan", "10,000 yuan"}


@pytest.mark.parametrize("id_", CATALOGUE)
def test_entry_is_complete(id_: str) -> None:
    entry = CATALOGUE[id_]
    assert entry.id == id_
    assert entry.en
    assert entry.zh
    assert entry.definition.endswith(".")
    assert entry.unit in UNITS
    assert entry.needs


def test_a_second_line_shares_its_definition() -> None:
    assert indicator("headcount@food") is CATALOGUE["headcount"]


def test_a_misspelt_indicator_names_its_neighbour() -> None:
    with pytest.raises(PovmonError, match="did you mean 'headcount'"):
        indicator("headcont")


def test_weights_of_the_index_sum_to_one_exactly() -> None:
    assert sum(Fraction(d.weight) for d in definition().deprivations.values()) == 1
    assert index().k == Fraction(1, 3)
