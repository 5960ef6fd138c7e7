"""Ranks of domains with the uncertainty of their estimates."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

Floats = npt.NDArray[np.float64]


def rank_intervals(
    estimate: Floats, se: Floats, df: Floats, *, level: float = 0.90
) -> pd.DataFrame:
    """Ranks (1 = highest) with a joint confidence set: all true ranks lie inside at `level`.

    Parameters
    ----------
    estimate, se, df : (D,) estimates, standard errors and degrees of freedom of D domains whose
        estimates are independent; none may be missing.
    level : probability that the intervals of all D domains hold together.

    Returns
    -------
    (D rows) ``rank``, ``rank_low`` (best claim: 1 + number of domains surely higher) and
    ``rank_high`` (D - number of domains surely lower).

    Source
    ------
    Klein, Wright and Wieczorek (2020), Journal of the Royal Statistical Society A 183, eq. 2-3,
    with simultaneous intervals by Šidák's inequality for independent estimates.
    """
    d = len(estimate)
    each = level ** (1 / max(d, 1))
    t = special.stdtrit(np.maximum(df, 1), 0.5 + each / 2)
    low, high = estimate - t * se, estimate + t * se
    surely_higher = (low[None, :] > high[:, None]).sum(axis=1)
    surely_lower = (high[None, :] < low[:, None]).sum(axis=1)
    rank = 1 + (estimate[None, :] > estimate[:, None]).sum(axis=1)
    return pd.DataFrame(
        {"rank": rank, "rank_low": 1 + surely_higher, "rank_high": d - surely_lower}
    )
