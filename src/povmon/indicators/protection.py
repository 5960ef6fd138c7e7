"""Protection of linked tables, each computed once: integer programmes take seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from povmon.indicators.disclosure import Flags, Floats, Need, System, protect
from povmon.memo import remembered


def protect_once(system: System, needs: Sequence[Need], cost: Floats) -> Flags:
    """As `protect`; a table that was protected before is not computed again.

    Raises
    ------
    PovmonError : see `protect`.
    """
    made = remembered(
        "protected",
        _parts(system, needs, cost),
        lambda: protect(system, needs, cost).astype(np.uint8).tobytes(),
    )
    return np.frombuffer(made, dtype=np.uint8).astype(bool)


def _parts(system: System, needs: Sequence[Need], cost: Floats) -> list[bytes]:
    """All that the protection of a table depends on."""
    arrays: list[npt.NDArray[Any]] = [system.values, system.published, system.lower, system.upper]
    for matrix in (system.cells, system.known):
        if matrix is not None:
            arrays += [np.array(matrix.shape), matrix.data, matrix.indices, matrix.indptr]
    said = [f"{need.cell} {need.low!r} {need.high!r}".encode() for need in needs]
    whole = b"whole" if system.integer else b""
    return [whole, *(a.dtype.str.encode() + a.tobytes() for a in [*arrays, cost]), *said]
