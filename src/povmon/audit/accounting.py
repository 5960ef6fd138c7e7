"""The account of an audit: every row received is accepted, corrected or rejected; who was late."""

from __future__ import annotations

import numpy as np
import pandas as pd

from povmon.audit.ledger import Ledger
from povmon.errors import PovmonError
from povmon.survey.intake import Intake, expected_provinces

STATES = ["accepted", "corrected", "rejected"]
ACCOUNTING = ["form", "province_id", "received", *STATES]
PROMPTNESS = ["province_id", "expected_by", "received", "days_late", "status"]


def account(intake: Intake, ledger: Ledger) -> pd.DataFrame:
    """Rows by form and province: received (counted at intake), accepted, corrected, rejected.

    Raises
    ------
    PovmonError : the three do not add up to what was received (a fault of the audit itself).
    """
    parts = []
    for form, table in ledger.tables.items():
        received = intake.rows[form].groupby("submitted_by").size()
        states = pd.DataFrame({
            "province_id": table["submitted_by"],
            "state": np.where(ledger.live[form],
                              np.where(ledger.changed[form], "corrected", "accepted"), "rejected"),
        })  # fmt: skip
        counts = states.groupby(["province_id", "state"]).size().unstack(fill_value=0)
        counts = counts.reindex(columns=STATES, fill_value=0)
        provinces = list(dict.fromkeys(d.province_id for d in intake.deliveries))
        part = counts.reindex(provinces, fill_value=0)
        part.insert(0, "received", received.reindex(provinces, fill_value=0))
        part = part.rename_axis("province_id").rename_axis(columns=None).reset_index()
        parts.append(part.assign(form=form))
    whole = pd.concat(parts, ignore_index=True)[ACCOUNTING]
    _check(intake, ledger, whole)
    return whole


def _check(intake: Intake, ledger: Ledger, accounting: pd.DataFrame) -> None:
    rejected = ledger.rejected().groupby("form").size()
    for form, part in accounting.groupby("form"):
        sums = part[["received", *STATES]].sum()
        logged = int(rejected.get(form, 0))
        ended = int(sums[STATES].sum())
        arrived = len(intake.rows[str(form)])
        if not (ended == sums["received"] == arrived and sums["rejected"] == logged):
            raise PovmonError(
                f"{arrived} rows were received but {ended} accounted for "
                f"({sums['rejected']} rejected, {logged} with a reason)",
                where=f"{intake.survey.survey}, {intake.area}, {form} form",
                todo="this is a fault of the audit: please report it",
            )


def promptness(intake: Intake) -> pd.DataFrame:
    """When each province's submission arrived, against the survey's deadline.

    Returns
    -------
    One row a province: province_id, expected_by and received (ISO dates, missing when not
    known), days_late (Int64, 0 when on time), status (on time, late, missing, unknown).
    """
    deadline = intake.survey.deadline
    received = {d.province_id: d.manifest.received for d in intake.deliveries}
    rows = []
    for province in sorted({*expected_provinces(intake.survey, intake.area), *received}):
        day = received.get(province)
        late = None if day is None or deadline is None else max((day - deadline).days, 0)
        if province not in received:
            status = "missing"
        elif late is None:
            status = "unknown"
        else:
            status = "late" if late else "on time"
        rows.append([province, _iso(deadline), _iso(day), late, status])
    frame = pd.DataFrame(rows, columns=PROMPTNESS)
    text = {name: "str" for name in PROMPTNESS if name != "days_late"}
    return frame.astype({**text, "days_late": "Int64"})


def _iso(day: object) -> str | None:
    return None if day is None else str(day)
