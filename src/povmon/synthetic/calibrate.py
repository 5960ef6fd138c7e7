"""Solving thresholds, locations and scales so that targets are met on the drawn sample."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from povmon.synthetic.assumptions import AccessTarget, AreaTarget, load
from povmon.synthetic.weighted import Flags, Floats, highest, quantile


def allocate(
    latent: Floats, population: pd.DataFrame, target: AccessTarget, weight: str = "w_hh"
) -> Flags:
    """True where an item is present, so that its weighted shares meet the targets.

    Areas with a figure of their own come first; the flagged key counties of the other areas then
    take what makes all key counties meet theirs; the remaining counties take `target.other`.

    Parameters
    ----------
    latent : propensity, one entry a row.
    population : area, flagged and the column `weight`, one row an entry.
    target : the item's shares.
    weight : name of the column of weights.
    """
    area, flagged = population["area"].to_numpy(), population["flagged"].to_numpy()
    weights = population[weight].to_numpy(dtype=float)
    out, done = np.zeros(len(latent), dtype=bool), np.zeros(len(latent), dtype=bool)
    for name, share in target.areas.items():
        rows = area == name
        out[rows] = highest(latent[rows], weights[rows], share)
        done |= rows
    rows = flagged & ~done
    if rows.any():
        wanted = target.key * weights[flagged].sum() - weights[out & flagged].sum()
        share = float(np.clip(wanted / weights[rows].sum(), 0.02, 0.995))
        out[rows] = highest(latent[rows], weights[rows], share)
    rows = ~flagged & ~done
    out[rows] = highest(latent[rows], weights[rows], target.other)
    return out


def chances(latent: Floats, size: Floats, villages: pd.DataFrame, target: AccessTarget) -> Floats:
    """Probabilities (logistic in `latent`) whose weighted mean, by `size`, meets the targets."""
    flagged = villages["flagged"].to_numpy()
    weight = villages["w_village"].to_numpy() * size
    chance = np.zeros(len(latent))
    for rows, share in ((flagged, target.key), (~flagged, target.other)):
        if rows.any():
            chance[rows] = _logistic_mean(latent[rows], weight[rows], share)
    return chance


def _logistic_mean(latent: Floats, weight: Floats, share: float) -> Floats:
    def gap(shift: float) -> float:
        return float(np.average(1 / (1 + np.exp(-(latent + shift))), weights=weight)) - share

    shift = brentq(gap, -40.0, 40.0)
    return np.asarray(1 / (1 + np.exp(-(latent + shift))))


def fit_area(z: Floats, weights: Floats, fixed: Floats, target: AreaTarget) -> tuple[float, float]:
    """Location and scale of log income that meet an area's headcount and mean together.

    For every scale the headcount gives the location: the line lies at the quantile H of z. The
    scale then solves for the mean.

    Parameters
    ----------
    z : log income before location and scale, one entry a household.
    weights : persons.
    fixed : incomes a person that are not modelled (losses), NaN elsewhere.
    target : the area's headcount and mean.

    Returns
    -------
    location, scale.
    """
    free = np.isnan(fixed)
    total = weights.sum()
    lost = weights[~free].sum() / total
    share = (target.headcount - lost) / (1 - lost)
    cut = quantile(z[free], weights[free], share)
    line = np.log(load()["poverty_line"])
    losses = float(np.sum(weights[~free] * fixed[~free]))

    def gap(scale: float) -> float:
        incomes = np.exp(line + scale * (z[free] - cut))
        return (float(np.sum(weights[free] * incomes)) + losses) / total - target.mean_income

    scale = brentq(gap, 0.3, 2.5)
    return float(line - scale * cut), float(scale)
