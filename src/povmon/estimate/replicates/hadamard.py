"""Hadamard matrices, which balance half-samples."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
from scipy import linalg

Signs = npt.NDArray[np.int8]


def hadamard(least: int) -> Signs:
    """A Hadamard matrix of the smallest order from `least` on that the constructions reach.

    H'H = R I with entries of 1 and -1; the first column is all ones, so every other column adds
    up to zero.

    Parameters
    ----------
    least : the smallest order wanted, 1 or more.

    Returns
    -------
    (R, R) of int8. R is 1, 2 or a multiple of 4 and seldom exceeds `least` by more than 8.

    Source
    ------
    Sylvester (1867), Philosophical Magazine 34 (powers of two, and doubling); Paley (1933),
    Journal of Mathematics and Physics 12 (orders p + 1 and 2 (p + 1) for primes p).

    Examples
    --------
    >>> matrix = hadamard(10)
    >>> matrix.shape, bool((matrix.T @ matrix == 12 * np.eye(12)).all())
    ((12, 12), True)
    """
    base, doubled = next(plan for order in itertools.count(least) if (plan := _plan(order)))
    matrix = np.kron(_paley(base), linalg.hadamard(doubled, dtype=np.int8))
    return matrix * matrix[:, :1]


def _plan(order: int) -> tuple[int, int] | None:
    """An order as (order of Paley, power of two), or None where neither reaches it."""
    doubled = 1
    while order % doubled == 0:
        base = order // doubled
        if base == 1 or (base % 4 == 0 and (_prime(base - 1) or _second_kind(base))):
            return base, doubled
        doubled *= 2
    return None


def _second_kind(order: int) -> bool:
    return order // 2 % 4 == 2 and _prime(order // 2 - 1)


def _prime(number: int) -> bool:
    return number > 1 and all(number % d for d in range(2, int(number**0.5) + 1))


def _paley(order: int) -> Signs:
    """Paley's first construction where order - 1 is prime, else his second."""
    if order == 1:
        return np.ones((1, 1), dtype=np.int8)
    if _prime(order - 1):
        return _bordered(order - 1, -1) + np.eye(order, dtype=np.int8)
    conference = _bordered(order // 2 - 1, 1)
    identity = np.eye(order // 2, dtype=np.int8)
    first = np.array([[1, 1], [1, -1]], dtype=np.int8)
    second = np.array([[1, -1], [-1, -1]], dtype=np.int8)
    return np.kron(conference, first) + np.kron(identity, second)


def _bordered(prime: int, corner: int) -> Signs:
    """Jacobsthal's matrix of quadratic characters with a border: a conference matrix."""
    character = np.full(prime, -1, dtype=np.int8)
    character[np.arange(1, prime, dtype=np.int64) ** 2 % prime] = 1
    character[0] = 0
    matrix = np.ones((prime + 1, prime + 1), dtype=np.int8)
    matrix[1:, 0] = corner
    matrix[0, 0] = 0
    matrix[1:, 1:] = linalg.circulant(character)
    return matrix
