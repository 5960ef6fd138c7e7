"""Estimates from Parquet files that need not fit into memory, in this process or on a cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from povmon.errors import PovmonError
from povmon.estimate.core.prepared import (
    as_list,
    assemble,
    check_level,
    prepared,
    summarise,
    summarise_replicates,
)
from povmon.estimate.core.rows import Rows
from povmon.estimate.core.tally import Answer, Sums, Tally
from povmon.estimate.core.variance import degrees_of_freedom
from povmon.estimate.design import Design, Floats, lay
from povmon.estimate.measures.base import (
    DistributionMeasure,
    Linearised,
    Measure,
    Shared,
    SumMeasure,
)
from povmon.estimate.measures.multidimensional import SubgroupContribution
from povmon.estimate.measures.relative import RelativeFGT
from povmon.estimate.replicates.replicate import Method, SurveyWeights, replication
from povmon.estimate.replicates.replicated import AT_ONCE, cell_totals
from povmon.estimate.replicates.resampling import Replication
from povmon.estimate.scale.cells import WEIGHT, ChunkSums, Keys, added, name, pairs, told
from povmon.estimate.scale.chunks import Chunk, chunks
from povmon.estimate.scale.values import (
    Gathered,
    Lookup,
    groups_of,
    linearise_values,
    values_of,
    values_of_chunk,
)
from povmon.estimate.scale.workers import Workers, followed, workers

Path = str | os.PathLike[str]
NOTHING = np.empty(0)
WHERE, TODO = "estimate, from files", "read the files into a DataFrame"


def estimate_files(
    source: Path,
    design: Design,
    measures: Sequence[Measure] | Measure,
    by: Sequence[str] | str | None,
    *,
    level: float,
    method: Method | None,
) -> pd.DataFrame:
    """As `estimate`, from a Parquet file or a folder of them.

    The rows are read a chunk at a time. Measures that are functions of sums take one pass; those
    of a distribution take a second, and memory for the combinations of domain and value that
    occur. Sums are added in the order of the chunks, so that the numbers are the same on any
    number of threads or workers. Among equal values, interpolated quantiles (``hf4``, ``hf7``,
    and the standard errors of Lorenz ordinates and shares) are those of the distinct values.

    Raises
    ------
    PovmonError : as `estimate`; a file is missing; the design is calibrated, or its second stage
        has no named units; replicates of a measure of the distribution are asked for.
    """
    listed = dict(enumerate(as_list(measures)))
    check_level(level)
    names = (by,) if isinstance(by, str) else tuple(by or ())
    distributions = {j: m for j, m in listed.items() if isinstance(m, DistributionMeasure)}
    sums = {j: m for j, m in listed.items() if isinstance(m, SumMeasure)}
    _check(design)
    _check_measures(sums, distributions, method)
    keys = Keys(design, names, groups_of(list(distributions.values())))
    read = [*keys.columns, design.weight, *(c for m in listed.values() for c in m.columns)]
    parts = chunks(source, list(dict.fromkeys(read)))
    with workers() as crew:
        lookups, found = _distributions(crew, parts, keys, distributions)
        cells = _cells(crew, parts, Pass(keys, sums, lookups))
    # The cells as rows of a sample: the design is laid over them, and checked, as a whole.
    laid = prepared(Rows(cells), lay(cells, replace(design, weight=WEIGHT)), list(names))
    answers = {j: _answer(j, m, laid.sums, cells, found.get(j)) for j, m in listed.items()}
    if method is None:
        columns = [summarise(m, answers[j], laid.sums, level) for j, m in listed.items()]
    else:
        survey = SurveyWeights.of(laid.sums.sample, replication(laid.sums.sample, method))
        columns = [
            summarise_replicates(m, answers[j], laid.sums, level, survey, values)
            for j, m in sums.items()
            for values in [_replicates(m, answers[j], laid.sums, survey.replication)]
        ]
    return assemble(laid.labels, list(listed.values()), columns)


def _check(design: Design) -> None:
    """Refuse designs that need all rows at once."""
    if design.calibration is not None or design.poststrata is not None:
        raise PovmonError("calibrated weights need all rows at once", where=WHERE, todo=TODO)
    if design.fpc and design.fpc[1] and design.ssu is None:
        raise PovmonError(
            "the second-stage units have no column", where=WHERE,
            todo="name it: Design(ssu=...); rows of a file have no names",
        )  # fmt: skip


def _check_measures(
    sums: dict[int, SumMeasure],
    distributions: dict[int, DistributionMeasure],
    method: Method | None,
) -> None:
    """Refuse measures that need all rows at once."""
    # In a chunk without rows of a subgroup nobody can say whether the subgroup exists.
    refused = [m.name for m in sums.values() if isinstance(m, SubgroupContribution)]
    if refused:
        todo = "estimate the index by subgroup, or read the files into a DataFrame"
        raise PovmonError(f"{refused[0]} needs all rows at once", where=WHERE, todo=todo)
    if method is not None and distributions:
        names = ", ".join(m.name for m in distributions.values())
        raise PovmonError(f"replicates of {names} need all rows at once", where=WHERE, todo=TODO)


def _replicates(measure: SumMeasure, found: Answer, sums: Sums, made: Replication) -> Floats:
    """Replicates (R, D) of a measure, from its cells."""
    out = np.empty((made.replicates, len(sums.domains)))
    step = max(1, AT_ONCE // max(len(sums.layout.domain), 1))
    for start in range(0, made.replicates, step):
        stop = min(start + step, made.replicates)
        totals = cell_totals(sums, found.tally.totals, made.block(start, stop))
        out[start:stop] = measure.of(np.stack(totals, axis=-1))[0]
    return out


@dataclass(frozen=True)
class Pass:
    """What the cells of a chunk are summed for."""

    keys: Keys
    sums: dict[int, SumMeasure]
    lookups: list[Lookup]

    @property
    def columns(self) -> list[str]:
        """The columns that measures are made from."""
        own = [column for measure in self.sums.values() for column in measure.columns]
        return [*own, *(column for lookup in self.lookups for column in lookup.values.columns)]


def cells_of_chunk(chunk: Chunk, plan: Pass) -> pd.DataFrame:
    """The cells of a chunk with their weight and the sums of all measures."""
    with told(chunk):
        laid = ChunkSums.of(chunk, plan.keys, plan.columns)
        sums, weight = laid.sums.domains.sum, laid.sums.sample.weight
        found: dict[str, Floats] = {WEIGHT: sums(weight)}
        for number, measure in plan.sums.items():
            found |= laid.of_measure(number, measure)
        for lookup in plan.lookups:
            at = lookup.rows(laid.rows)
            for number, known in lookup.measures.items():
                found |= laid.of_values(number, known.values[at], known.used[at])
                if known.shared is not None:
                    found[name(number, "shared")] = sums(weight * known.shared[at])
        return pd.concat([laid.labels, pd.DataFrame(found)], axis=1)


def _cells(crew: Workers, parts: list[Chunk], plan: Pass) -> pd.DataFrame:
    """The cells of all chunks."""
    whole: list[pd.DataFrame] = []
    for table in followed(crew.results(cells_of_chunk, parts, plan), "Sums by cell", len(parts)):
        whole = [added([*whole, table], plan.keys.columns)]
    return whole[0]


def _distributions(
    crew: Workers, parts: list[Chunk], keys: Keys, measures: dict[int, DistributionMeasure]
) -> tuple[list[Lookup], dict[int, Linearised]]:
    """What rows look up in the tables of values, and the measures' estimates from these."""
    if not measures:
        return [], {}
    listed = values_of(measures, keys.by)
    gathered = [Gathered(values.keys) for values in listed]
    made = crew.results(values_of_chunk, parts, (keys, listed))
    for tables in followed(made, "Values that occur", len(parts)):
        for whole, table in zip(gathered, tables, strict=True):
            whole.add(table)
    lookups: list[Lookup] = []
    found: dict[int, Linearised] = {}
    for values, whole in zip(listed, gathered, strict=True):
        frame = whole.table().to_pandas()
        linearised = linearise_values(values.measures, frame, keys.by)
        lookups.append(Lookup.of(frame, values, linearised))
        found |= linearised
    return lookups, found


def _answer(
    number: int, measure: Measure, sums: Sums, cells: pd.DataFrame, found: Linearised | None
) -> Answer:
    """A measure's estimates from the sums of its cells."""

    def column(what: str, *index: int) -> Floats:
        return cells[name(number, what, *index)].to_numpy()

    k = sum(c.startswith(name(number, "total") + " ") for c in cells.columns)
    totals = tuple(sums.layout.sum(column("total", i)) for i in range(k))
    moments = np.empty((len(sums.domains), k, k))
    for i, j in pairs(k):
        product = sums.domains.sum(column("product", i, j))
        moments[:, i, j] = moments[:, j, i] = product
    count = sums.layout.sum(column("n"))
    n_psu, df = degrees_of_freedom(sums.layout, count, len(sums.domains))
    n = sums.domains.sum(column("n")).astype(np.int64)
    of_domain = np.stack([sums.domains.sum(column("total", i)) for i in range(k)], axis=-1)
    tally = Tally(totals, of_domain, moments, sums.domains.sum(column("weight")), n, n_psu, df)
    if found is not None:
        shared = _shared(measure, sums, found.shared, column)
        result = replace(found, values=NOTHING, used=NOTHING > 0, shared=shared)
        return Answer(result.estimate, np.ones((len(sums.domains), 1)), tally, result)
    assert isinstance(measure, SumMeasure)
    estimate, gradient = measure.of(of_domain)
    return Answer(estimate, gradient, tally)


def _shared(
    measure: Measure, sums: Sums, shared: Shared | None, column: Callable[[str], Floats]
) -> Shared | None:
    """What cells instead of rows contribute to every domain."""
    if shared is None:
        return None
    assert isinstance(measure, RelativeFGT)
    groups = measure.line.groups(sums.rows)
    weight = sums.sample.weight
    total = column("shared")
    values = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    return Shared(values, groups.code, shared.slope)
