"""Value classes of a map: limits, colours and the words of the legend."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from povmon.present import numbers

COUNT = 5
# ColorBrewer's yellow-orange-brown (Brewer and Harrower 2003): it stays in order for every common
# form of colour blindness and in grey print, and its light end is paler than its dark end is deep,
# so that the eye goes to what is worst.
SCALE = "YlOrBr"
_LIGHT, _DARK = 0.06, 0.97


@dataclass(frozen=True)
class Classes:
    """Classes of a map; each takes in its lower limit and leaves out its upper one.

    Parameters
    ----------
    limits : the inner limits, ascending, in the unit of the estimates (shares as fractions).
    unit : unit of the estimates.
    darker : ``low`` where low values are drawn dark (a high value is good), else ``high``.
    """

    limits: tuple[float, ...]
    unit: str
    darker: str

    def __len__(self) -> int:
        return len(self.limits) + 1

    def of(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Class of each value, 0 the lowest; -1 where the value is missing."""
        found = np.searchsorted(np.array(self.limits), values, side="right")
        return np.where(np.isnan(values), -1, found).astype(np.int64)

    def colours(self) -> list[str]:
        """Colour of each class, from the lowest; the same order of darkness in grey print."""
        from matplotlib import colormaps
        from matplotlib.colors import to_hex

        places = np.linspace(_LIGHT, _DARK, len(self)) if len(self) > 1 else [0.5]
        shades = [to_hex(colormaps[SCALE](place)) for place in places]
        return shades if self.darker == "high" else shades[::-1]

    def labels(self) -> list[str]:
        """Words of each class, from the lowest."""
        if not self.limits:
            return ["all values"]
        shown = [self._write(limit) for limit in self.limits]
        inner = [f"{a} to under {b}" for a, b in itertools.pairwise(shown)]
        return [f"under {shown[0]}", *inner, f"{shown[-1]} and more"]

    def _write(self, value: float) -> str:
        factor, _, _ = numbers.unit_rule(self.unit)
        scaled = [abs(limit) * factor for limit in self.limits]
        digits = max(_digits(v) for v in scaled)
        return numbers.number(value * factor, digits)


def _digits(value: float) -> int:
    """Decimals that a rounded limit needs, at most 3."""
    return next((d for d in range(4) if math.isclose(round(value, d), value, abs_tol=1e-9)), 3)


def quantile_classes(
    values: NDArray[np.float64], unit: str, good: str, count: int = COUNT
) -> Classes:
    """Classes that hold about equal numbers of counties, with limits rounded.

    Parameters
    ----------
    values : one value a county, missing ones allowed.
    unit : their unit in the estimates table.
    good : ``high``, ``low`` or ``none``: which value is good; the worse is drawn darker.
    count : classes wanted; fewer where values are few or equal.
    """
    # Twelve digits: noise in the last ones makes no classes.
    known = np.sort([float(f"{v:.12g}") for v in values[~np.isnan(values)]])
    darker = "low" if good == "high" else "high"
    # Few counties make few classes: two to a class at least, where there are that many.
    count = min(count, len(np.unique(known)), max(2, len(known) // 2))
    if count < 2:
        return Classes((), unit, darker)
    factor, _, _ = numbers.unit_rule(unit)
    wanted = np.quantile(known, np.arange(1, count) / count) * factor
    step = _step(float(known[-1] - known[0]) * factor / count / 4)
    rounded = np.unique(np.round(np.round(wanted / step) * step, 9)) / factor
    inside = rounded[(rounded > known[0]) & (rounded <= known[-1])]
    return Classes(tuple(float(v) for v in inside), unit, darker)


def _step(width: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above `width`."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(m * power for m in (5, 2, 1) if m * power <= width * (1 + 1e-9))
