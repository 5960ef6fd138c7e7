"""`estimate`: measures by domain, each with its design-based standard error."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pandas as pd

from povmon.estimate.core.prepared import prepare
from povmon.estimate.design import Design
from povmon.estimate.measures.base import Measure
from povmon.estimate.replicates.replicate import Method
from povmon.estimate.scale.partitioned import estimate_files


def estimate(
    frame: pd.DataFrame | str | os.PathLike[str],
    design: Design,
    measures: Sequence[Measure] | Measure,
    by: Sequence[str] | str | None = None,
    *,
    level: float = 0.95,
    method: Method | None = None,
) -> pd.DataFrame:
    """Estimate measures by domain on a survey design.

    Parameters
    ----------
    frame : one row a unit (household, person, village); or a Parquet file, or a folder of them,
        which need not fit into memory. Files are estimated from on a Dask cluster where the
        environment variable ``DASK_SCHEDULER_ADDRESS`` names its scheduler.
    design : how the sample was drawn.
    measures : what to estimate, for example ``[fgt("income_pc", 2300, 0), gini("income_pc")]``.
    by : column, or columns whose combinations are the domains; None for the whole sample. Domains
        keep all strata and PSUs of the sample.
    level : coverage of the intervals.
    method : None for variances by linearisation, or a replicate method: ``Jackknife()``, ``BRR()``
        or ``Bootstrap(1000, seed=1)``. Every measure is then computed again with each set of
        weights, calibrated ones are calibrated again, and intervals are Student's t (logit for
        proportions).

    Returns
    -------
    One row a domain and measure, in that order: the `by` columns, ``measure``, ``estimate``,
    ``se``, ``ci_low``, ``ci_high`` (Student's t; a logit interval for proportions, and for poverty
    gaps and M0 one on Satterthwaite's degrees of freedom), ``n`` (rows that entered), ``n_psu``,
    ``df`` (PSUs less strata), ``cv``, ``deff`` (variance over that of a simple random sample of as
    many rows), ``excluded`` (weighted share of the domain's rows that the measure left out) and
    ``note`` (why a number is missing; empty where none is).

    Raises
    ------
    PovmonError : a column is missing or not numeric, a weight is missing or negative, a PSU lies
        in two strata, a stratum has a single PSU and the design gives no rule for it. Of a missing
        column the error lists near matches.

    Source
    ------
    Wolter (2007), Introduction to Variance Estimation, ch. 6; Deville (1999), Survey Methodology
    25, for measures that are no functions of sums. Each measure names its own.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate, fgt
    >>> sample = pd.DataFrame({"county": [1, 1, 1, 1], "village": [1, 1, 2, 2],
    ...                        "w": [10, 10, 20, 20], "income": [1000, 3000, 2000, 4000]})
    >>> table = estimate(sample, Design("county", "village", "w"), [fgt("income", 2300, 0)])
    >>> float(table["estimate"].iloc[0])
    0.5
    """
    if isinstance(frame, pd.DataFrame):
        return prepare(frame, design, by).estimate(measures, level=level, method=method)
    return estimate_files(frame, design, measures, by, level=level, method=method)
