"""Poverty indices that are averages over persons, at any scale of the incomes."""

from __future__ import annotations

from typing import Literal

import numpy as np

from povmon.errors import PovmonError
from povmon.estimate.core.domains import Domains
from povmon.estimate.design import Floats
from povmon.estimate.measures.base import Flags, divide

Index = float | Literal["watts"]


def check_index(index: Index) -> Index:
    """Alpha of a Foster-Greer-Thorbecke index, or ``watts``."""
    if index == "watts":
        return "watts"
    if isinstance(index, str) or not (np.isfinite(index) and index >= 0):
        raise PovmonError(f"index is {index!r}", todo="use an alpha of 0 or more, or 'watts'")
    return float(index)


def usable(income: Floats, index: Index) -> Flags:
    """Rows the index can take: the Watts index leaves out what is not positive."""
    known = np.isfinite(income)
    return known & (income > 0) if index == "watts" else known


def index_values(income: Floats, index: Index) -> Floats:
    """Row values of the index for incomes as multiples of the line, none of them missing.

    FGT: max(1 - y, 0)**alpha of the poor (y < 1), a negative income's gap counting as for zero.
    Watts: log(1 / y) of the poor.
    """
    poor = income < 1.0
    if index == "watts":
        return -np.log(np.where(poor, income, 1.0))
    if index == 0:
        return poor.astype(np.float64)
    gap = np.clip(1.0 - income, 0.0, 1.0)
    return gap if index == 1 else gap**index


def poverty(
    income: Floats, used: Flags, weight: Floats, domains: Domains, index: Index,
    scale: Floats | None = None,
) -> Floats:  # fmt: skip
    """The index by domain (D,), with the incomes of each domain times `scale` (D,).

    NaN in a domain without used weight, and where the scale is missing.
    """
    safe = np.where(used, income, 1.0)
    if scale is not None:
        safe = safe * np.where(np.isfinite(scale), scale, 1.0)[domains.code]
    w = np.where(used, weight, 0.0)
    result = divide(domains.sum(w * index_values(safe, index)), domains.sum(w))
    return result if scale is None else np.where(np.isfinite(scale), result, np.nan)


def average(income: Floats, used: Flags, weight: Floats, domains: Domains) -> Floats:
    """Mean income of each domain's used rows (D,), NaN without any."""
    w = np.where(used, weight, 0.0)
    return divide(domains.sum(w * np.where(used, income, 0.0)), domains.sum(w))
