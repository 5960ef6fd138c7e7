"""Named random streams: adding a variable does not change the others."""

from __future__ import annotations

import zlib

import numpy as np


class Streams:
    """Random generators that depend on the survey's seed and on a name alone.

    Parameters
    ----------
    seed : the survey's seed (survey.yml).
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __call__(self, name: str) -> np.random.Generator:
        """The generator called `name`, from its start."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def normal(self, name: str, size: int) -> np.ndarray:
        """`size` standard normal numbers of the stream `name`."""
        return self(name).standard_normal(size)

    def uniform(self, name: str, size: int) -> np.ndarray:
        """`size` uniform numbers between 0 and 1 of the stream `name`."""
        return self(name).random(size)
