"""Weighted quantiles and the thresholds that make a share of a population come out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def quantile(values: Floats, weights: Floats, share: float) -> float:
    """Smallest value up to which at least `share` of the weight lies."""
    order = np.argsort(values, kind="stable")
    cumulated = np.cumsum(weights[order])
    place = int(np.searchsorted(cumulated, share * cumulated[-1]))
    return float(values[order[min(place, len(values) - 1)]])


def gini(values: Floats, weights: Floats) -> float:
    """Weighted Gini coefficient by the covariance formula (Lerman and Yitzhaki 1989, eq. 4).

    Parameters
    ----------
    values, weights : one entry a household; weights in persons.
    """
    order = np.argsort(values, kind="stable")
    x, w = values[order], weights[order] / weights.sum()
    rank = np.cumsum(w) - w / 2
    mean = float(np.sum(w * x))
    return float(2 * np.sum(w * (x - mean) * rank) / mean)


def highest(latent: Floats, weights: Floats, share: float) -> Flags:
    """True for the rows with the highest `latent` that hold `share` of the weight."""
    if len(latent) == 0 or share <= 0:
        return np.zeros(len(latent), dtype=bool)
    if share >= 1:
        return np.ones(len(latent), dtype=bool)
    return np.asarray(latent > quantile(latent, weights, 1 - share))


def standardise(values: Floats) -> Floats:
    """`values` with mean 0 and standard deviation 1; zeros where they do not vary."""
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)


def snap(values: Floats, ladder: tuple[float, ...]) -> Floats:
    """The highest step of `ladder` (ascending) not above each value; its first step at least."""
    steps = np.asarray(ladder, dtype=float)
    return steps[np.clip(np.searchsorted(steps, values, side="right") - 1, 0, None)]
