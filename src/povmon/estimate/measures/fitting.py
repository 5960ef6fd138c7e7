"""Weighted linear and logit fits of the rows of one domain, under many vectors of weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy import special

from povmon.estimate.design import Floats, Ints

Family = Literal["linear", "logit"]

# Newton's error is squared by each step: after a step below this it is far below 1e-12.
STEP = 1e-9
STEPS = 100
# Multiplications at once: few enough for the linear algebra library to start no threads of its
# own, which get in each other's way where replicates are fitted in threads.
PRODUCTS = 2**18
# Smallest singular value of columns of unit length, and smallest weighted mean of information
# in any direction, that are told from zero.
COLLINEAR = 1e-10
INFORMATION = 1e-13


@dataclass(frozen=True, eq=False)
class Problem:
    """One domain's rows, their columns made orthogonal: x = z R. Shapes: m rows, p columns.

    `lack`: why there is no fit under any weights; empty where there is one. Coefficients of x
    are `back` times those of z.
    """

    family: Family
    at: Ints  # (m,) positions in the frame
    y: Floats  # (m,)
    z: Floats  # (m, p), each column of mean square 1
    back: Floats  # (p, p)
    start: Floats  # (p,) coefficients of z with equal weights
    lack: str = ""

    @classmethod
    def of(cls, family: Family, at: Ints, x: Floats, y: Floats, names: tuple[str, ...]) -> Problem:
        """From columns x (m, p); `names` are those of the outcome and of the columns."""
        m, p = x.shape
        nothing = np.full((m, p), np.nan), np.full((p, p), np.nan), np.zeros(p)
        if m <= p:
            lack = "no more rows than coefficients"
            return cls(family, at, y, *nothing, lack)
        same = collinear(x)
        if same:
            lack = f"collinear here: {', '.join(names[1 + j] for j in same)}"
            return cls(family, at, y, *nothing, lack)
        q, r = np.linalg.qr(x)
        scale = np.sqrt(m)
        back = np.linalg.inv(r) * scale
        raw = cls(family, at, y, q * scale, back, np.zeros(p))
        start = raw.fit(np.ones((1, m)))[0]
        if np.isfinite(start).all():
            return cls(family, at, y, raw.z, back, start)
        lack = f"the columns tell {names[0]} = 1 from 0 without error: no finite coefficients"
        if (y == y[0]).all():
            lack = f"{names[0]} is {y[0]:g} in all rows: no finite coefficients"
        return cls(family, at, y, *nothing, lack)

    def fit(self, weights: Floats) -> Floats:
        """Coefficients of z (B, p) under weights (B, m), NaN where there are none.

        Newton's method, a step being halved while the likelihood falls. A strictly concave
        likelihood whose maximum is not reached has none: the columns separate the outcomes
        (Albert and Anderson 1984, Biometrika 71).
        """
        found = self._fit(weights, self.start)
        lost = np.isnan(found[:, 0])
        if lost.any() and self.start.any():
            # Under weights so different that the start is no good, the origin is one.
            found[lost] = self._fit(weights[lost], np.zeros(len(self.start)))
        return found

    def _fit(self, weights: Floats, start: Floats) -> Floats:
        """From starting values (p,)."""
        count, p = len(weights), len(self.back)
        found = np.full((count, p), np.nan)
        live, w = np.arange(count), weights
        gamma = trial = np.tile(start, (count, 1))
        step, best = np.zeros((count, p)), np.full(count, -1e300)
        for _ in range(STEPS):
            information, score, likelihood = self.sums(w, trial)
            # Rounding may lower the likelihood where the step is nil.
            fell = likelihood < best - 1e-12 * np.abs(best)
            further, known = newton(information, score, w)
            gamma = np.where(fell[:, None], gamma, trial)
            best = np.where(fell, best, likelihood)
            step = np.where(fell[:, None], step / 2, further)
            trial = gamma + step
            # Columns of z have mean square 1, so this is how far the predictor moves.
            moved = np.linalg.norm(step, axis=1) / (1.0 + np.linalg.norm(gamma, axis=1))
            near = ~fell & known & (moved <= STEP)
            found[live[near]] = trial[near]
            on = (fell | known) & ~near
            if not on.any():
                break
            if not on.all():
                live, w, gamma, trial = live[on], w[on], gamma[on], trial[on]
                step, best = step[on], best[on]
        return found

    def sums(self, w: Floats, gamma: Floats) -> tuple[Floats, Floats, Floats]:
        """Information A (B, p, p), score (B, p) and log-likelihood (B,) at coefficients (B, p).

        A = sum w v z z', with v the derivative of the mean. Of a linear fit the likelihood is
        not needed, for a step leads to its maximum, and is given as 0.
        """
        b, p = gamma.shape
        row, column = np.tril_indices(p)
        packed, score, likelihood = np.zeros((b, len(row))), np.zeros((b, p)), np.zeros(b)
        run = max(64, PRODUCTS // (b * len(row)))
        for first in range(0, len(self.y), run):
            rows = slice(first, first + run)
            z, y, part = self.z[rows], self.y[rows], w[:, rows]
            eta = gamma @ z.T
            mean = self.mean(eta)
            score += (part * (y - mean)) @ z
            if self.family == "logit":
                likelihood += (part * (y * eta - np.logaddexp(0.0, eta))).sum(axis=1)
                part = part * mean * special.expit(-eta)
            packed += part @ self._products[rows]
        full = np.empty((b, p, p))
        full[:, row, column] = full[:, column, row] = packed
        return full, score, likelihood

    @cached_property
    def _products(self) -> Floats:
        """Products of each pair of columns of z, (m, p (p + 1) / 2)."""
        row, column = np.tril_indices(len(self.back))
        return self.z[:, row] * self.z[:, column]

    def mean(self, eta: Floats) -> Floats:
        """Expected outcome at linear predictors."""
        return special.expit(eta) if self.family == "logit" else eta

    def influence(self, weight: Floats, gamma: Floats) -> Floats:
        """Derivative of the coefficients of x with respect to each row's weight (m, p).

        A^-1 x (y - mean), at the coefficients (p,) of z that are the fit under the weights (m,).
        """
        information = self.sums(weight[None], gamma[None])[0][0]
        residual = self.y - self.mean(self.z @ gamma)
        return (self.z * residual[:, None]) @ np.linalg.solve(information, self.back.T)


def newton(information: Floats, score: Floats, w: Floats) -> tuple[Floats, np.ndarray]:
    """Newton's step (B, p), and where the information is not singular (B,).

    `w`: the weights (B, m), which say how large the information is.
    """
    least = np.linalg.eigvalsh(information)[:, 0]
    known = least > INFORMATION * np.abs(w).sum(axis=1)
    safe = np.where(known[:, None, None], information, np.eye(score.shape[1]))
    step: Floats = np.linalg.solve(safe, score[..., None])[..., 0].astype(np.float64)
    return step, known


def collinear(x: Floats) -> list[int]:
    """Columns of x (m, p) that are a combination of one another; none where the rank is full.

    The first column is the intercept, which goes with any column that never varies.
    """
    length = np.linalg.norm(x, axis=0)
    _, values, right = np.linalg.svd(
        np.linalg.qr(x / np.where(length > 0, length, 1.0), mode="r"), full_matrices=True
    )
    nil = right[values < COLLINEAR * max(values[0], 1.0)]
    among = np.abs(nil).max(axis=0, initial=0.0) > 1e-6
    among[0] |= not length.all()
    return np.flatnonzero(among).tolist()
