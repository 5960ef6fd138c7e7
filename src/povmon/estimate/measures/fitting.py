"""Weighted linear and logit fits of the rows of one domain, under many vectors of weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy import linalg, special

from povmon.estimate.design import Floats, Ints

Family = Literal["linear", "logit"]

# Newton's error is squared by each step: after a step below this it is far below 1e-12.
STEP = 1e-9
STEPS = 60
HALVINGS = 20
# Smallest singular value of columns of unit length, and smallest weighted mean of information
# in any direction, that are told from zero.
COLLINEAR = 1e-10
INFORMATION = 1e-11


@dataclass(frozen=True, eq=False)
class Fit:
    """Coefficients under B vectors of weights, NaN where there are none, and what they cost.

    Shapes: p columns.
    """

    coefficients: Floats  # (B, p)
    information: Floats  # (B, p, p)


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
        back = linalg.solve_triangular(r, np.eye(p)) * scale
        raw = cls(family, at, y, q * scale, back, np.zeros(p))
        start = raw.fit(np.ones((1, m))).coefficients[0]
        if np.isfinite(start).all():
            return cls(family, at, y, raw.z, back, start)
        lack = f"the columns tell {names[0]} = 1 from 0 without error: no finite coefficients"
        if (y == y[0]).all():
            lack = f"{names[0]} is {y[0]:g} in all rows: no finite coefficients"
        return cls(family, at, y, *nothing, lack)

    def fit(self, weights: Floats) -> Fit:
        """Coefficients of z under weights (B, m).

        Newton's method, each step halved until the likelihood does not fall. A strictly concave
        likelihood whose maximum is not reached has none: the columns separate the outcomes
        (Albert and Anderson 1984, Biometrika 71).
        """
        count, p = len(weights), len(self.back)
        done = Fit(np.full((count, p), np.nan), np.full((count, p, p), np.nan))
        live, w = np.arange(count), weights
        gamma = np.tile(self.start, (count, 1))
        for _ in range(STEPS):
            step, known = self._step(w, gamma)
            live, w, gamma, step = live[known], w[known], gamma[known], step[known]
            gamma, moved = self._advance(w, gamma, step)
            if not len(live):
                break
            near = moved <= STEP
            done.coefficients[live[near]] = gamma[near]
            done.information[live[near]] = self.information(w[near], gamma[near] @ self.z.T)
            live, w, gamma = live[~near], w[~near], gamma[~near]
        return done

    def mean(self, eta: Floats) -> Floats:
        """Expected outcome at linear predictors."""
        return special.expit(eta) if self.family == "logit" else eta

    def information(self, w: Floats, eta: Floats) -> Floats:
        """A = sum w v z z' (B, p, p), v the variance of the outcome over its dispersion."""
        if self.family == "logit":
            w = w * special.expit(eta) * special.expit(-eta)
        p = len(self.back)
        row, column = np.tril_indices(p)
        full = np.empty((len(w), p, p))
        full[:, row, column] = full[:, column, row] = w @ self._products
        return full

    @cached_property
    def _products(self) -> Floats:
        """Products of each pair of columns of z, (m, p (p + 1) / 2)."""
        row, column = np.tril_indices(len(self.back))
        return self.z[:, row] * self.z[:, column]

    def _step(self, w: Floats, gamma: Floats) -> tuple[Floats, np.ndarray]:
        """Newton's step (B, p), and where there is one (B,)."""
        eta = gamma @ self.z.T
        information = self.information(w, eta)
        score = (w * (self.y - self.mean(eta))) @ self.z
        least = np.linalg.eigvalsh(information)[:, 0]
        known = least > INFORMATION * np.abs(w).sum(axis=1)
        safe = np.where(known[:, None, None], information, np.eye(len(self.back)))
        step: Floats = np.linalg.solve(safe, score[..., None])[..., 0].astype(np.float64)
        return step, known

    def _advance(self, w: Floats, gamma: Floats, step: Floats) -> tuple[Floats, Floats]:
        """The next coefficients, and how far the linear predictors moved in proportion (B,)."""
        eta, change = gamma @ self.z.T, step @ self.z.T
        share = np.ones(len(w))
        if self.family == "logit":
            before = self._likelihood(w, eta)
            # Rounding may lower the likelihood where the step is nil.
            least = before - 1e-12 * np.abs(before)
            for _ in range(HALVINGS):
                worse = self._likelihood(w, eta + share[:, None] * change) < least
                if not worse.any():
                    break
                share[worse] /= 2
        reach = 1.0 + np.abs(eta).max(axis=1, initial=0.0)
        moved = np.abs(change).max(axis=1, initial=0.0) / reach
        return gamma + share[:, None] * step, moved

    def _likelihood(self, w: Floats, eta: Floats) -> Floats:
        """Weighted log-likelihood of the logit model (B,)."""
        return np.einsum("bm,bm->b", w, self.y * eta - np.logaddexp(0.0, eta))


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
