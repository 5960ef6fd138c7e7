"""What imputation does to standard errors: every indicator is estimated from values imputed again.

In each of `REPLICATES` bootstrap replicates the imputed records take new donors. The records that
come of it are derived into frames as the accepted ones are, so that each indicator, whatever it is
made of, has its values; persons may change their group. The published standard errors are widened
by the ratio of the errors with and without (see `povmon.estimate.replicates.reimputed`). Where
nothing is imputed, nothing changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from povmon.estimate import Design
from povmon.estimate.core.domains import lay_domains
from povmon.estimate.core.rows import Rows
from povmon.estimate.measures.base import Measure
from povmon.estimate.replicates.donors import Alternatives, Resample, resample
from povmon.estimate.replicates.reimputed import Reimputed, kept
from povmon.indicators.alternatives import alternative_records
from povmon.indicators.frames import Frames, household_frame, person_groups
from povmon.indicators.recipients import Recipients, Records, recipients
from povmon.seeds import IMPUTED
from povmon.survey import Survey

REPLICATES = 200


@dataclass(eq=False)
class Reimputation:
    """The values imputed again in every replicate, for some areas.

    Parameters
    ----------
    survey : for its design and definitions.
    frames : of the areas, with what was imputed.
    """

    survey: Survey
    frames: Frames
    _extended: dict[str, Reimputed] = field(default_factory=dict)
    _factors: dict[tuple[Reimputed, str], np.ndarray] = field(default_factory=dict)

    def ratios(self, frame: pd.DataFrame, kind: str, column: str, design: Design,
               measures: Sequence[Measure], labels: pd.Index) -> np.ndarray:  # fmt: skip
        """Standard errors with over without imputation, (D, M): never below one.

        Parameters
        ----------
        frame : one row a household or, for a group of persons, a household and group.
        kind, column : of the domains.
        measures : M of them.
        labels : the D domains.
        """
        made = self._rows(frame, kind)
        if made is None:
            return np.ones((len(labels), len(measures)))
        whole = made.rows.frame
        domains = lay_domains(whole, [column])
        weight = whole[str(design.weight)].to_numpy(dtype=float)
        at = made, str(design.weight)
        if at not in self._factors:
            self._factors[at] = self._factor(frame, made, design)
        factor = self._factors[at]
        found = made.errors(measures, weight, factor, domains).ratio
        return found[:, pd.Index(domains.labels[column]).get_indexer(labels)].T

    def _rows(self, frame: pd.DataFrame, kind: str) -> Reimputed | None:
        """The frame's rows and those of its alternatives; None where nothing is imputed."""
        if not self._recipients:
            return None
        grouped = "members" in frame
        name = kind if grouped else "household"
        if name not in self._extended:
            added = self._frame.assign(all="all")
            if grouped:
                added = added[[c for c in added if c in frame]]
                added = person_groups(self._records["person"], added, kind)
            self._extended[name] = self._joined(frame, added)
        return self._extended[name]

    def _joined(self, frame: pd.DataFrame, added: pd.DataFrame) -> Reimputed:
        """The rows of a frame, then those of the alternatives, whose `household_id` is a number."""
        homes = pd.Index(self.frames.household["household_id"])
        row = homes.get_indexer(frame["household_id"])
        number = added["household_id"].to_numpy(dtype="int64")
        alternatives, of = self._alternatives, self._of_unit
        unit = np.full(len(homes), -1)
        unit[of] = np.arange(len(of))
        columns = [c for c in frame if c in added and _needed(frame[c])]
        whole = pd.concat([frame[columns], added[columns]], ignore_index=True)
        return Reimputed(
            Rows(whole),
            self._drawn.psu[np.concatenate([row, of[alternatives.unit[number]]])],
            np.concatenate([unit[row], alternatives.unit[number]]),
            np.concatenate([np.full(len(frame), -1), number]),
            alternatives,
        )

    def _factor(self, frame: pd.DataFrame, made: Reimputed, design: Design) -> np.ndarray:
        """Factors (P, B) on the PSUs' weights, which keep the known totals."""
        drawn = self._drawn
        if design.poststrata is None:
            return drawn.factor
        weight = frame[str(design.weight)].to_numpy(dtype=float)
        if design.size is not None:
            weight = weight * frame[design.size].to_numpy(dtype=float)
        own = Resample(made.psu[: len(frame)], drawn.factor)
        return drawn.factor * kept(weight, own, pd.factorize(frame[design.poststrata])[0])

    @cached_property
    def _drawn(self) -> Resample:
        design, rows = self.survey.design, self.frames.household
        return resample(
            rows[design.strata].to_numpy(), rows[design.psu].to_numpy(), REPLICATES, IMPUTED
        )

    @cached_property
    def _source(self) -> Records:
        return Records.of({
            form: table for form, table in self.frames.records.items()
            if form in ("household", "person")
        })  # fmt: skip

    @cached_property
    def _recipients(self) -> list[Recipients]:
        assert self.frames.imputation is not None
        if self.frames.imputation.imputed.empty:
            return []
        return recipients(self.frames.imputation, self._source, self._drawn)

    @cached_property
    def _of_unit(self) -> np.ndarray:
        """(U,) rows of the households in which anything is imputed."""
        return np.unique(np.concatenate([r.household for r in self._recipients]))

    @cached_property
    def _alternatives(self) -> Alternatives:
        unit = np.searchsorted(
            self._of_unit, np.concatenate([r.household for r in self._recipients])
        )
        donor = np.concatenate([r.donor for r in self._recipients])
        return Alternatives.of(unit, donor, len(self._of_unit))

    @cached_property
    def _records(self) -> Mapping[str, pd.DataFrame]:
        """The records of the alternatives; their `household_id` is the alternative's number."""
        return {**self.frames.records, **alternative_records(
            self._source, self._recipients, self._alternatives, self._of_unit
        )}  # fmt: skip

    @cached_property
    def _frame(self) -> pd.DataFrame:
        """The household frame of the alternatives."""
        return household_frame(self.survey, self._records)


def _needed(values: pd.Series) -> bool:
    """Columns that measures and domains may be made of."""
    return values.dtype == "float64" or values.dtype in ("object", "str", "boolean", "bool")
