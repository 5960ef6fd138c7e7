"""Draws of the sampling errors of estimates: bootstrap replicates, or a normal distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from povmon.errors import PovmonError
from povmon.estimate.design import Floats, Ints

if TYPE_CHECKING:
    from povmon.estimate.comparison.joint import Joint

# Fewer replicates than this say little about a tail.
ENOUGH = 200
# R times a replicate's factor: 1 for a bootstrap, 4 for half-samples with Fay's constant 0.5.
LARGEST = 4.5


def deviations(joint: Joint, rows: Ints, *, draws: int = 2000, seed: int = 1) -> tuple[Floats, int]:
    """Joint sampling errors of some estimates, shape (R, len(rows)), and R.

    Those of bootstrap replicates where there are some (`replicate_errors`), else `draws` normal
    ones with the estimates' covariance.

    Raises
    ------
    PovmonError : in more than half of the replicates an estimate is missing.
    """
    if joint.replicates is not None:
        values, estimate = joint.replicates[:, rows], joint.estimate[rows]
        errors = replicate_errors(values, estimate, joint.factor)
        if errors is not None:
            whole = np.all(np.isfinite(errors), axis=1)
            if whole.sum() < len(whole) / 2:
                raise PovmonError(
                    f"in {int((~whole).sum())} of {len(whole)} replicates an estimate is missing",
                    todo="leave out the domains with very few PSUs",
                )
            return errors[whole], int(whole.sum())
    return normal_errors(joint.covariance[np.ix_(rows, rows)], draws, seed), draws


def replicate_errors(values: Floats, estimate: Floats, factor: Floats | None) -> Floats | None:
    """Replicates (R, K) as draws of the estimates' errors, or None where they cannot serve.

    Those of a bootstrap can, and balanced half-samples if there are many: less the estimates,
    times sqrt(R factor), which is near 1. A jackknife's cannot: each moves a single PSU.
    """
    share = np.asarray([] if factor is None else factor, dtype=np.float64) * len(values)
    if len(values) < ENOUGH or len(share) == 0 or share.max() > LARGEST:
        return None
    if not np.allclose(share, share[0]):
        return None
    return (values - estimate) * np.sqrt(share[0])


def normal_errors(covariance: Floats, draws: int, seed: int) -> Floats:
    """Normal draws of mean zero, shape (draws, K); the covariance may be singular."""
    if draws < 1:
        raise PovmonError(f"draws is {draws}", todo=f"use at least {ENOUGH}")
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.random.default_rng(seed).standard_normal((draws, len(covariance))) @ root.T
