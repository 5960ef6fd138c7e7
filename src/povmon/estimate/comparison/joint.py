"""Several estimates together: domains, measures and surveys with their covariance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from povmon.errors import PovmonError
from povmon.estimate.comparison.covariance import Influences, linearised_covariance
from povmon.estimate.core.prepared import Prepared, as_list, prepared
from povmon.estimate.core.rows import Rows
from povmon.estimate.core.tally import answer
from povmon.estimate.design import Design, Floats, Ints, lay
from povmon.estimate.measures.base import Measure
from povmon.estimate.replicates.replicate import Method, Replicates, SurveyWeights, replications
from povmon.estimate.replicates.replicated import replicate_estimates

Frames = pd.DataFrame | Mapping[str, pd.DataFrame]
Designs = Design | Mapping[str, Design]


@dataclass(frozen=True, eq=False)
class Joint:
    """K estimates with their covariance; `joint` makes it.

    Parameters
    ----------
    labels : (K rows) which estimate: ``survey`` where there are several, the `by` columns,
        ``measure``.
    estimate : (K,).
    covariance : (K, K).
    df : (K,) degrees of freedom, PSUs less strata of each estimate's domain.
    replicates : (R, K) replicate estimates where the covariance was made from them.
    factor : (R,) what each replicate's squared deviation counts.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from povmon.estimate import Joint, difference
    >>> labels = pd.DataFrame({"area": ["east", "west"], "measure": "headcount"})
    >>> two = Joint(labels, np.array([0.3, 0.2]), np.diag([0.0009, 0.0016]), np.array([30, 30]))
    >>> two.se.round(6).tolist()
    [0.03, 0.04]
    >>> difference(two, {"area": "east"}, {"area": "west"})["se"].round(6).tolist()
    [0.05]
    """

    labels: pd.DataFrame
    estimate: Floats
    covariance: Floats
    df: Ints
    replicates: Floats | None = None
    factor: Floats | None = None

    def __len__(self) -> int:
        return len(self.estimate)

    @property
    def se(self) -> Floats:
        """Standard errors (K,)."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))


def joint(
    frames: Frames,
    designs: Designs,
    measures: Sequence[Measure] | Measure,
    by: Sequence[str] | str | None = None,
    *,
    method: Method | None = None,
) -> Joint:
    """Estimate measures by domain, in one survey or several, with the covariance of all of them.

    Parameters
    ----------
    frames : one row a unit; of several surveys a mapping from their names.
    designs : how each was drawn; one design serves all.
    measures, by : as in `estimate`.
    method : None for linearisation, or a replicate method as in `estimate`: all covariances then
        come from one set of replicates, in which PSUs that surveys share are drawn together.

    Returns
    -------
    `Joint`, its rows by survey, domain and measure.

    Raises
    ------
    PovmonError : as `estimate`; a survey has no design; a measure has no linearised values (a
        quantile) and no `method` is given.

    Notes
    -----
    Domains of one survey covary where they share PSUs, and because they share strata. Two surveys
    covary where they share PSUs: those with the same label in a stratum of the same label. The
    cross product of their deviations from the strata's means then enters, scaled as in the
    variances; with all PSUs shared this is the covariance of one survey of the same PSUs.

    Source: Wolter (2007), eq. 6.11.4, and sec. 6.12 for the covariance; Wood (2008), Journal of
    Official Statistics 24, for overlapping samples.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, fgt, joint
    >>> sample = pd.DataFrame({"county": [1, 1, 1, 1], "village": [1, 1, 2, 2], "w": [1, 1, 1, 1],
    ...                        "income": [1000, 3000, 2000, 4000], "sex": ["f", "m", "f", "m"]})
    >>> both = joint(sample, Design("county", "village", "w"), fgt("income", 3500, 0), by="sex")
    >>> both.estimate.tolist()
    [1.0, 0.5]
    """
    named = dict(frames) if isinstance(frames, Mapping) else {"": frames}
    keys, listed = [by] if isinstance(by, str) else list(by or []), as_list(measures)
    laid = {name: _lay(frame, _design(designs, name), keys) for name, frame in named.items()}
    answers = {name: [answer(m, one.sums) for m in listed] for name, one in laid.items()}
    labels = pd.concat(
        [_labels(one, listed, name if isinstance(frames, Mapping) else None)
         for name, one in laid.items()], ignore_index=True,
    )  # fmt: skip
    estimates = np.concatenate(
        [_interleaved([a.estimate for a in each]) for each in answers.values()]
    )
    df = np.concatenate([_interleaved([a.tally.df for a in each]) for each in answers.values()])
    if method is None:
        pieces = [Influences.of(listed, answers[name], one.sums) for name, one in laid.items()]
        return Joint(labels, estimates, linearised_covariance(pieces), df)
    made = _replicates(laid, listed, estimates, method)
    return Joint(labels, estimates, made.covariance(), df, made.values, made.factor)


def _lay(frame: pd.DataFrame, design: Design, by: list[str]) -> Prepared:
    if len(frame) == 0:
        raise PovmonError("there are no rows to estimate from")
    return prepared(Rows(frame), lay(frame, design), by)


def _design(designs: Designs, name: str) -> Design:
    if isinstance(designs, Design):
        return designs
    if name not in designs:
        raise PovmonError(f"no design is given for the survey {name!r}", where="joint")
    return designs[name]


def _labels(one: Prepared, measures: Sequence[Measure], survey: str | None) -> pd.DataFrame:
    """By domain, then measure."""
    d, m = len(one.labels), len(measures)
    table = one.labels.loc[np.repeat(np.arange(d), m)].reset_index(drop=True)
    table["measure"] = np.tile(np.array([x.name for x in measures], dtype=object), d)
    if survey is not None:
        table.insert(0, "survey", survey)
    return table


def _interleaved(columns: Sequence[np.ndarray]) -> np.ndarray:
    """M columns (D,) as one (D x M,), by domain, then measure."""
    return np.stack(columns, axis=-1).ravel()


def _replicates(
    laid: Mapping[str, Prepared], measures: Sequence[Measure], estimates: Floats, method: Method
) -> Replicates:
    made = replications({name: one.sums.sample for name, one in laid.items()}, method)
    values = [
        replicate_estimates(measures, one.sums, SurveyWeights.of(one.sums.sample, made[name]))
        for name, one in laid.items()
    ]
    first = next(iter(made.values()))
    flat = np.concatenate([v.reshape(len(v), -1) for v in values], axis=1)
    df = min(m.df for m in made.values())
    return Replicates(estimates, flat, first.factor, df, first.mse)
