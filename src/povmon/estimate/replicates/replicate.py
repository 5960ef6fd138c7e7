"""Replicate variance of any statistic: the statistic computed again with each set of weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from scipy import special

from povmon.errors import PovmonError, unknown_name
from povmon.estimate.core.units import lay_units
from povmon.estimate.design import Design, Floats, Ints, Sample, lay
from povmon.estimate.replicates.resampling import BRR, Bootstrap, Jackknife, Method, Replication

__all__ = [
    "BRR",
    "Bootstrap",
    "Draws",
    "Jackknife",
    "Method",
    "Replicates",
    "Replication",
    "SurveyWeights",
    "draws",
    "replicate_variance",
    "replication",
]

Recalibrate: TypeAlias = Callable[[Floats], Floats]
# Replicate factors held at once.
AT_ONCE = 2**20


def replication(sample: Sample, method: Method) -> Replication:
    """The replicates of one sample, as factors on the weights of its PSUs.

    Parameters
    ----------
    sample : a design laid over rows.
    method : `Jackknife()`, `BRR()` or `Bootstrap()`.

    Returns
    -------
    A `Replication` of R replicates: ``.replicates`` (R), ``.factor`` (R,), ``.df``, ``.mse``,
    ``.block(start, stop)`` and ``.totals(sums)``.

    Raises
    ------
    PovmonError : the design is finite at the second stage, which replicates of PSUs do not
        show; no stratum has anything to replicate; the method does not fit the design.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate.design import Design, lay
    >>> rows = pd.DataFrame({"county": [1, 1, 1, 2, 2], "village": [1, 2, 3, 4, 5], "w": 1.0})
    >>> made = replication(lay(rows, Design("county", "village", "w")), Jackknife())
    >>> made.multiplier
    array([[0. , 1.5, 1.5, 1. , 1. ],
           [1.5, 0. , 1.5, 1. , 1. ],
           [1.5, 1.5, 0. , 1. , 1. ],
           [1. , 1. , 1. , 0. , 2. ],
           [1. , 1. , 1. , 2. , 0. ]])
    >>> made.factor.round(3)
    array([0.667, 0.667, 0.667, 0.5  , 0.5  ])
    """
    return replications({"": sample}, method)[""]


def replications(samples: Mapping[str, Sample], method: Method) -> dict[str, Replication]:
    if not isinstance(method, Jackknife | BRR | Bootstrap):
        raise PovmonError(
            f"{method!r} is no replicate method", todo="use Jackknife(), BRR() or Bootstrap()"
        )
    names = sorted(samples)  # the order in which surveys are given does not matter either
    laid = lay_units({name: samples[name] for name in names})
    if not any(len(u.name) for u in laid):
        raise PovmonError(
            "no stratum adds to the variance, so there is nothing to replicate",
            todo="check strata, PSUs, population sizes and the rule for single PSUs",
        )
    return dict(zip(names, method.replications(laid), strict=True))


def replicate_variance(
    values: Floats, factor: Floats, estimate: Floats, mse: bool = False
) -> Floats:
    """Variance from replicates: sum_r factor_r (theta_r - centre)^2.

    Parameters
    ----------
    values : (R, ...) replicates of the estimates.
    factor : (R,)
    estimate : (...) full estimates.
    mse : centre on the full estimate, not on the mean of the replicates.

    Returns
    -------
    (...) variances. Replicates that are not finite are left out, and the variance is scaled up by
    the share of the factors they have; NaN where the estimate is not finite or fewer than two
    replicates are.

    Source
    ------
    Wolter (2007), ch. 3 to 5; the default centre is that of R's survey (``mse=FALSE``).

    Examples
    --------
    >>> replicate_variance(np.array([[1.0], [3.0]]), np.array([0.5, 0.5]), np.array([2.0]))
    array([1.])
    """
    return np.asarray((_deviations(values, factor, estimate, mse) ** 2).sum(axis=0))


def _deviations(values: Floats, factor: Floats, estimate: Floats, mse: bool) -> Floats:
    """Deviations from the centre, scaled so that the variance is the sum of their squares."""
    factors = factor.reshape(-1, *[1] * (values.ndim - 1))
    finite = np.isfinite(values)
    usable = (finite.sum(axis=0) >= 2) & np.isfinite(estimate)
    known = np.where(finite, values, 0.0)
    centre = estimate if mse else known.sum(axis=0) / np.maximum(finite.sum(axis=0), 1)
    share = (factors * finite).sum(axis=0) / factor.sum()
    scale = np.where(usable, 1.0 / np.where(usable, share, 1.0), np.nan)
    return np.where(finite, known - centre, 0.0) * np.sqrt(factors * scale)


@dataclass(frozen=True, eq=False)
class Replicates:
    """K estimates with R replicates of each, which carry variances and covariances.

    A replicate that is not finite (a domain that lost all its PSUs, say) is left out for the
    estimates it concerns, and ``undefined`` counts them; what is left is scaled up in proportion.
    """

    estimate: Floats  # (K,)
    values: Floats  # (R, K)
    factor: Floats  # (R,)
    df: int
    mse: bool = False

    @property
    def undefined(self) -> Ints:
        """How many replicates of each estimate are not finite, (K,)."""
        return (~np.isfinite(self.values)).sum(axis=0).astype(np.int64)

    def covariance(self) -> Floats:
        """Covariance matrix (K, K), positive semi-definite; its diagonal is ``se() ** 2``."""
        scaled = _deviations(self.values, self.factor, self.estimate, self.mse)
        return scaled.T @ scaled

    def se(self) -> Floats:
        """Standard errors (K,); NaN where the estimate is not finite or df < 1."""
        variance = replicate_variance(self.values, self.factor, self.estimate, self.mse)
        return np.sqrt(variance) if self.df >= 1 else np.full(len(variance), np.nan)

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Student's t intervals: lower and upper limits, (K,) each."""
        if not 0 < level < 1:
            raise PovmonError(f"level is {level!r}", todo="choose it between 0 and 1")
        reach = special.stdtrit(max(self.df, 1), 0.5 + level / 2) * self.se()
        return self.estimate - reach, self.estimate + reach


@dataclass(frozen=True, eq=False)
class SurveyWeights:
    """One survey's weights and replicates.

    Shapes: n rows. ``recalibrate`` takes a replicate's weights before calibration (n,) to the
    calibrated ones; None where the weights are not calibrated.
    """

    weight: Floats  # (n,)
    base: Floats  # (n,) weights before calibration
    unit: Ints  # (n,)
    replication: Replication
    recalibrate: Recalibrate | None

    @classmethod
    def of(cls, sample: Sample, replication: Replication) -> SurveyWeights:
        """A laid sample with its replicates."""
        known, unit = sample.calibration, sample.stages[0].unit
        if known is None:
            return cls(sample.weight, sample.weight, unit, replication, None)
        return cls(sample.weight, known.base, unit, replication, known.recalibrate)

    def weights(self, multiplier: Floats) -> Floats:
        """Weights (n,) of a replicate with factors (U,) on the PSUs.

        Calibrated weights are calibrated again, from the replicate's weights before calibration,
        so that the replicates vary as calibrated estimates do (Rao, Wu and Yue 1992).
        """
        weight = self.base * multiplier[self.unit]
        return weight if self.recalibrate is None else self.recalibrate(weight)


@dataclass(frozen=True, eq=False)
class Draws:
    """Replicate weights of one or several surveys, made one replicate at a time.

    ``factor`` (R,), ``mse`` and ``df`` are those of the method; of several surveys the smallest
    df counts, which the Satterthwaite df of a difference or sum of them never falls below.
    """

    surveys: Mapping[str, SurveyWeights]
    factor: Floats
    mse: bool
    df: int
    single: bool

    @property
    def replicates(self) -> int:
        """R, the number of replicates."""
        return len(self.factor)

    def replication(self, survey: str | None = None) -> Replication:
        """The factors on a survey's PSU weights; the survey's name is needed among several."""
        return self._survey(survey).replication

    def weights(self, r: int, survey: str | None = None) -> Floats:
        """Weights (n,) of replicate r = 0..R-1, calibrated again where the design is calibrated.

        Raises
        ------
        PovmonError : there is no such replicate or survey.
        """
        if not 0 <= r < self.replicates:
            raise PovmonError(
                f"there is no replicate {r}", todo=f"they are numbered 0 to {self.replicates - 1}"
            )
        chosen = self._survey(survey)
        return chosen.weights(chosen.replication.block(r, r + 1)[0])

    def apply(
        self,
        statistic: Callable[[Any], Any],
        *,
        undefined: Literal["error", "exclude"] = "error",
    ) -> Replicates:
        """Compute a statistic with the full weights and with those of every replicate.

        Parameters
        ----------
        statistic : takes the weights (n,) in the order of the frame's rows, of several surveys
            a dictionary of them, and returns a number or an array (K,).
        undefined : what to do where the statistic is not finite. ``exclude``: leave those
            replicates out, counted in ``Replicates.undefined``. The variance then says nothing
            of what made the statistic fail, so look at the count.

        Raises
        ------
        PovmonError : the statistic is not finite (``undefined="error"``), or returns arrays of
            different shapes.

        Examples
        --------
        >>> rows = pd.DataFrame({"county": [1, 1, 2, 2], "village": [1, 2, 3, 4],
        ...                      "w": 1.0, "poor": [1.0, 0.0, 1.0, 1.0]})
        >>> made = draws(rows, Design("county", "village", "w"), Jackknife())
        >>> result = made.apply(lambda w: (w * rows["poor"]).sum() / w.sum())
        >>> result.estimate, result.se()
        (array([0.75]), array([0.25]))
        """
        if undefined not in ("error", "exclude"):
            raise unknown_name("choice for undefined", undefined, ["error", "exclude"])
        estimate = self._value(statistic, {k: s.weight.copy() for k, s in self.surveys.items()})
        values = np.empty((self.replicates, len(estimate)))
        step = max(1, AT_ONCE // max(s.replication.units for s in self.surveys.values()))
        for start in range(0, self.replicates, step):
            stop = min(start + step, self.replicates)
            blocks = {k: s.replication.block(start, stop) for k, s in self.surveys.items()}
            for r in range(start, stop):
                weights = {k: s.weights(blocks[k][r - start]) for k, s in self.surveys.items()}
                value = self._value(statistic, weights)
                if value.shape != estimate.shape:
                    raise PovmonError(
                        f"the statistic has {len(estimate)} elements with the full weights and "
                        f"{len(value)} in replicate {r}",
                        todo="return an array of the same length, NaN where undefined",
                    )
                values[r] = value
        result = Replicates(estimate, values, self.factor, self.df, self.mse)
        if undefined == "error":
            _check_defined(result)
        return result

    def _value(self, statistic: Callable[[Any], Any], weights: dict[str, Floats]) -> Floats:
        given: Any = next(iter(weights.values())) if self.single else weights
        value = np.atleast_1d(np.asarray(statistic(given), dtype=np.float64))
        if value.ndim != 1:
            raise PovmonError(
                f"the statistic has the shape {value.shape}", todo="return a number or (K,) array"
            )
        return value

    def _survey(self, name: str | None) -> SurveyWeights:
        if name is None and len(self.surveys) == 1:
            return next(iter(self.surveys.values()))
        if name is None or name not in self.surveys:
            raise unknown_name("survey", str(name), self.surveys)
        return self.surveys[name]


def _check_defined(result: Replicates) -> None:
    if not np.isfinite(result.estimate).all():
        bad = np.flatnonzero(~np.isfinite(result.estimate))
        raise PovmonError(
            f"the statistic is not finite with the full weights (elements {bad[:10].tolist()})",
            todo='mend it, or keep NaN with undefined="exclude"',
        )
    count = result.undefined
    if count.any():
        worst = int(np.argmax(count))
        raise PovmonError(
            f"the statistic is not finite in replicates: element {worst} in {count[worst]} of "
            f"{len(result.values)}, {int((count > 0).sum())} elements in all",
            todo='choose larger domains, or leave those replicates out with undefined="exclude"',
        )


def draws(
    frames: pd.DataFrame | Mapping[str, pd.DataFrame],
    designs: Design | Mapping[str, Design],
    method: Method,
) -> Draws:
    """Replicate weights of a survey, or of several surveys together.

    Parameters
    ----------
    frames : the rows of a survey, or of several by name.
    designs : how they were drawn: one design, or one for each survey by name.
    method : `Jackknife()`, `BRR()` or `Bootstrap()`.

    Returns
    -------
    `Draws`. PSUs with the same labels of stratum and PSU in two surveys are the same PSU and are
    replicated together, others independently. Neither depends on the order of rows.

    Raises
    ------
    PovmonError : as `lay` and `replication`; the names of frames and designs differ; the labels
        of two surveys are of different types.

    Source: Rust and Rao (1996), Statistical Methods in Medical Research 5; each method names its
    own.

    Examples
    --------
    The same villages visited twice: the change is known better than either level.

    >>> rows = pd.DataFrame({"county": 1, "village": [1, 2, 3], "w": 1.0, "y": [1.0, 5.0, 9.0]})
    >>> later = rows.assign(y=[2.0, 6.0, 11.0])
    >>> made = draws({"a": rows, "b": later}, Design("county", "village", "w"), Jackknife())
    >>> change = made.apply(lambda w: (w["b"] * later["y"] - w["a"] * rows["y"]).sum())
    >>> change.estimate, change.se().round(6)
    (array([4.]), array([1.]))
    """
    single = isinstance(frames, pd.DataFrame)
    listed = {"": frames} if isinstance(frames, pd.DataFrame) else dict(frames)
    named = dict.fromkeys(listed, designs) if isinstance(designs, Design) else dict(designs)
    if not listed or set(listed) != set(named):
        raise PovmonError(
            f"frames are of {sorted(listed)}, designs of {sorted(named)}",
            todo="give one design, or one by name for each survey",
        )
    for name, frame in listed.items():
        if len(frame) == 0:
            raise PovmonError("there are no rows to replicate", where=name)
    samples = {k: lay(frame, named[k]) for k, frame in listed.items()}
    made = replications(samples, method)
    surveys = {k: SurveyWeights.of(s, made[k]) for k, s in samples.items()}
    first = next(iter(made.values()))
    return Draws(surveys, first.factor, first.mse, min(m.df for m in made.values()), single)
