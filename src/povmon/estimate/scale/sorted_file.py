"""Sorted Parquet: rows laid out once, sorted by domain and value, and read back ready to use."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from povmon.errors import PovmonError
from povmon.estimate.core.domains import Domains, lay_domains
from povmon.estimate.core.order import Sorted, sort_by
from povmon.estimate.core.prepared import Prepared
from povmon.estimate.core.rows import Rows
from povmon.estimate.core.tally import Sums
from povmon.estimate.core.variance import lay_cells, layout_of
from povmon.estimate.design import Design, Sample, Stage, lay, numbers
from povmon.estimate.measures.base import everyone, filled, present

LAYOUT = 2  # of the files; a reader refuses another
TOTAL = "total of "  # begins the names of the columns with totals by cell


def write_sorted(
    frame: pd.DataFrame,
    design: Design,
    by: Sequence[str] | str | None,
    values: Sequence[str],
    folder: Path | str,
) -> None:
    """Write rows so that estimating from them needs neither sorting nor coding.

    Parameters
    ----------
    frame, design, by : as in `estimate`.
    values : numeric columns to keep; the rows are sorted by domain, then the first of them, which
        is the one whose Gini and quantiles are wanted fast.
    folder : where ``rows.parquet``, ``cells.parquet``, ``units.parquet`` and ``domains.parquet``
        are written.

    Raises
    ------
    PovmonError : the design has two stages with finite populations or calibrated weights, which
        these files do not hold; a column is missing or not numeric.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from povmon.estimate import Design, write_sorted
    >>> sample = pd.DataFrame({"village": [1, 2], "w": 1.0, "income": [10.0, 30.0]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_sorted(sample, Design(None, "village", "w"), None, ["income"], folder)
    ...     sorted(file.stem for file in Path(folder).iterdir())
    ['cells', 'domains', 'rows', 'units']
    """
    if design.calibration is not None or design.poststrata is not None:
        raise PovmonError("calibrated weights cannot be kept in sorted files", where="write_sorted")
    if not values:
        raise PovmonError("no columns are given", where="write_sorted", todo="name the values")
    sample = lay(frame, design)
    if len(sample.stages) > 1:
        raise PovmonError("two stages cannot be kept in sorted files", where="write_sorted")
    domains = lay_domains(frame, [by] if isinstance(by, str) else by)
    layout = lay_cells(sample, domains)
    first = numbers(frame, values[0])
    # Rows outside all domains keep the design's PSUs in the units table and are not needed.
    inside = np.flatnonzero(domains.code >= 0)
    missing_last = np.where(np.isfinite(first), first, np.inf)[inside]
    order = inside[sort_by(domains.code[inside], missing_last, len(domains))]
    columns: dict[str, Any] = {
        "cell": layout.of_row[order].astype(np.int32),
        "weight": sample.weight[order],
    }
    columns |= {name: numbers(frame, name)[order] for name in values}
    stage, cells = sample.stages[0], layout.stages[0]
    units = {
        "stratum": stage.parent_of_unit,
        "strata": sample.strata.take(stage.parent_of_unit).astype(str),
        "psu": sample.psus.astype(str),
        "factor": stage.factor[stage.parent_of_unit],
    }
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    facts = {"layout": LAYOUT, "lonely": design.lonely, "values": list(values)}
    _write(place / "rows.parquet", pd.DataFrame(columns), facts)
    totals = {TOTAL + name: _totals(columns, name, len(cells.domain)) for name in values}
    _write(
        place / "cells.parquet",
        pd.DataFrame({"domain": cells.domain, "unit": cells.unit, **totals}),
    )
    _write(place / "units.parquet", pd.DataFrame(units))
    _write(place / "domains.parquet", domains.labels)


def _totals(columns: dict[str, Any], name: str, cells: int) -> np.ndarray:
    """Weight times value by cell (C,), missing values left out."""
    value = np.where(np.isfinite(columns[name]), columns[name], 0.0)
    return np.bincount(columns["cell"], columns["weight"] * value, minlength=cells)


def _write(path: Path, table: pd.DataFrame, facts: dict[str, Any] | None = None) -> None:
    made = pa.Table.from_pandas(table, preserve_index=table.shape[1] == 0)
    if facts:
        made = made.replace_schema_metadata({**made.schema.metadata, b"povmon": json.dumps(facts)})
    pq.write_table(made, path, compression="lz4")


def read_sorted(folder: Path | str) -> Prepared:
    """Read what `write_sorted` wrote; ``read_sorted(folder).estimate(measures)`` is then fast.

    Parameters
    ----------
    folder : what `write_sorted` was given.

    Returns
    -------
    `Prepared`, as from `prepare`.

    Raises
    ------
    PovmonError : a file is missing, or was written by another version.

    Examples
    --------
    >>> import tempfile
    >>> from povmon.estimate import Design, gini, read_sorted, write_sorted
    >>> sample = pd.DataFrame({"county": [1, 1, 2, 2], "village": [1, 2, 3, 4], "w": 1.0,
    ...                        "income": [1000, 3000, 2000, 2000]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_sorted(sample, Design("county", "village", "w"), "county", ["income"], folder)
    ...     table = read_sorted(folder).estimate(gini("income"))
    >>> table["estimate"].tolist()
    [0.25, 0.0]
    """
    place = Path(folder)
    for name in ("rows", "cells", "units", "domains"):
        if not (place / f"{name}.parquet").exists():
            raise PovmonError(
                f"there is no {name}.parquet", where=str(place), todo="write it with write_sorted"
            )
    rows = pq.read_table(place / "rows.parquet")
    facts = json.loads((rows.schema.metadata or {}).get(b"povmon", b"{}"))
    if facts.get("layout") != LAYOUT:
        raise PovmonError(
            "the files were written by another version", where=str(place), todo="write them again"
        )
    units = pd.read_parquet(place / "units.parquet")
    cells = pd.read_parquet(place / "cells.parquet")
    labels = pd.read_parquet(place / "domains.parquet")
    weight = rows["weight"].to_numpy()
    of_row = rows["cell"].to_numpy().astype(np.int64)
    domain = cells["domain"].to_numpy()
    sample = _sample(units, cells["unit"].to_numpy()[of_row], weight, facts)
    domains = Domains(domain[of_row], labels)
    frame = rows.select(facts["values"]).to_pandas(split_blocks=True)
    laid = Rows(frame)
    _note_order(laid, frame[facts["values"][0]].to_numpy(), domains, facts["values"][0])
    layout = layout_of(sample, of_row, domain, cells["unit"].to_numpy())
    sums = Sums(laid, sample, layout, domains)
    # What every measure needs of the design alone belongs to the reading, and which rows count;
    # the files hold the totals of their columns.
    for name in facts["values"]:
        sums.keep_total(filled(laid, name, present(laid, name)), cells[TOTAL + name].to_numpy())
    sums.sizes(everyone(laid))
    sums.total(everyone(laid))
    return Prepared(sums)


def _sample(
    units: pd.DataFrame, unit: np.ndarray, weight: np.ndarray, facts: dict[str, Any]
) -> Sample:
    stratum = units["stratum"].to_numpy()
    first = np.unique(stratum, return_index=True)[1]
    stage = Stage(unit, stratum, np.bincount(stratum), units["factor"].to_numpy()[first])
    return Sample(
        weight=weight,
        stages=(stage,),
        lonely=facts["lonely"],
        strata=pd.Index(units["strata"].to_numpy()[first]),
        psus=pd.Index(units["psu"]),
    )


def _note_order(rows: Rows, value: np.ndarray, domains: Domains, name: str) -> None:
    """The rows are in the order of the first value: tell the measures that sort by it."""
    if not np.isfinite(value).all():
        return
    counts = np.bincount(domains.code, minlength=len(domains))
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    laid = Sorted(np.arange(len(value)), value, start, natural=True)
    rows.once(("sorted", name, domains), lambda: laid)
