"""Whether a province's submission is accepted: error rates with intervals against limits.

The rate is the share of records with at least one certain (hard) finding. A sample of households
says how well the province collects and enters its data, so the rate is estimated with the
survey's weights, strata and sample villages, and the interval is Korn and Graubard's, which holds
for rates near zero too. Counties are not sampled: their interval is Clopper and Pearson's.

The interval, not the rate, is held against the limits (survey.yml, ``policy.acceptance``):

* all of it above ``return_above``: *return*;
* all of it up to ``accept_up_to``: *accept*;
* all of it up to ``return_above``: *accept with corrections*, or *accept* where no certain error
  was found at all, as there is nothing to correct;
* otherwise it straddles ``return_above``: *cannot tell*, and more records would have to be looked
  at before the submission is sent back.

A form with fewer than ``min_records`` records of the province can have it returned, but not
accepted: it has no vote. The province's verdict is the worst of the forms that have one. Certain
errors of whole files, or on a form without a vote, make *accept* into *accept with corrections*.

Sources: Korn and Graubard (1998), Survey Methodology 24; Clopper and Pearson (1934), Biometrika
26; decisions by an interval against two limits as in acceptance sampling with an indifference
zone (Schilling and Neubauer 2017, ch. 5). The limits are this project's choice.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import betaincinv

from povmon import paths
from povmon.audit.ledger import PLACE, Ledger
from povmon.audit.outliers import county_of
from povmon.audit.robust import Floats
from povmon.audit.store import read_table
from povmon.estimate import Design, estimate, proportion
from povmon.indicators.policy import korn_graubard
from povmon.survey.config import Acceptance, Survey, load_survey
from povmon.survey.intake import Intake, expected_provinces

ACCEPTANCE = [
    "province_id", "form", "records", "with_hard", "rate", "rate_low", "rate_high", "weighted",
    "weighted_low", "weighted_high", "with_soft", "soft_rate", "verdict", "reason",
]  # fmt: skip
VERDICTS = ("accept", "accept with corrections", "cannot tell", "return")
ALL_FORMS = "all"
NOTHING = "nothing received"
WEIGHT = {"village": "w_village", "household": "w_hh", "person": "w_hh"}


def accept(intake: Intake, ledger: Ledger, findings: pd.DataFrame) -> pd.DataFrame:
    """Error rates and verdicts by province and form, and each province's verdict.

    Parameters
    ----------
    intake : what was read.
    ledger : after all checks; rejected records count as received.
    findings : as the ledger gives them.

    Returns
    -------
    One row a province and form, and one with form "all" for the province as a whole (see
    `ACCEPTANCE`): records received, those with a hard finding, their share (unweighted with
    Clopper-Pearson limits, weighted with design-based limits; weighted equals unweighted on the
    county form), those with a soft finding, the verdict and its reason in words.
    """
    survey, limits = intake.survey, intake.survey.policy.acceptance
    parts = [_rates(survey, intake.area, ledger, form, findings) for form in survey.forms]
    rates = pd.concat(parts, ignore_index=True)
    judged = [_judge(row, limits) for row in rates.to_dict("records")]
    rates["verdict"] = [verdict for verdict, _ in judged]
    rates["reason"] = [reason for _, reason in judged]
    expected = {*expected_provinces(survey, intake.area), *rates["province_id"]}
    whole = [
        _whole(province, rates[rates["province_id"] == province], _of_files(findings, province),
               limits)
        for province in sorted(expected)
    ]  # fmt: skip
    table = pd.concat([rates, pd.DataFrame(whole)], ignore_index=True)
    order = {form: i for i, form in enumerate([ALL_FORMS, *survey.forms])}
    table = table.assign(order=table["form"].map(order)).sort_values(["province_id", "order"])
    counts = dict.fromkeys(("records", "with_hard", "with_soft"), "int64")
    texts = dict.fromkeys(("province_id", "form", "verdict", "reason"), "str")
    return table[ACCEPTANCE].astype({**counts, **texts}).reset_index(drop=True)


def acceptance_of(survey: str) -> pd.DataFrame:
    """The acceptance tables of all areas of a survey, with a column area.

    Raises
    ------
    PovmonError : an area has not been audited yet.
    """
    parts = [
        read_table(paths.processed(survey, area), "acceptance").assign(area=area)
        for area in load_survey(survey).area_ids
    ]
    return pd.concat(parts, ignore_index=True)


def clopper_pearson(count: Any, n: Any, level: float) -> tuple[Floats, Floats]:
    """Exact binomial limits of a share (Clopper and Pearson 1934), each (k,).

    Parameters
    ----------
    count, n : (k,) records with the property, and records.
    level : coverage, as 0.95.
    """
    count, n = np.asarray(count, dtype=float), np.asarray(n, dtype=float)
    tail = (1 - level) / 2
    low = np.where(count > 0, betaincinv(count, n - count + 1, tail), 0.0)
    high = np.where(count < n, betaincinv(count + 1, n - count, 1 - tail), 1.0)
    return low, high


def _rates(
    survey: Survey, area: str, ledger: Ledger, form: str, findings: pd.DataFrame
) -> pd.DataFrame:
    """Counts and rates of one form, one row a province."""
    table = ledger.tables[form]
    level = survey.policy.acceptance.level
    frame = pd.DataFrame({
        "province_id": table["submitted_by"],
        "hard": _has(table, findings, form, "hard"),
        "soft": _has(table, findings, form, "soft"),
    })  # fmt: skip
    groups = frame.groupby("province_id")
    out = groups.agg(records=("hard", "size"), with_hard=("hard", "sum"), with_soft=("soft", "sum"))
    out["rate"] = out["with_hard"] / out["records"]
    out["soft_rate"] = out["with_soft"] / out["records"]
    out["rate_low"], out["rate_high"] = clopper_pearson(out["with_hard"], out["records"], level)
    weighted = ["weighted", "weighted_low", "weighted_high"]
    if form == "county" or out.empty:
        out[weighted] = out[["rate", "rate_low", "rate_high"]].to_numpy()
    else:
        laid = _laid(survey, area, ledger, form).assign(**frame)
        out[weighted] = _design_based(laid, level).reindex(out.index)[weighted]
    return out.reset_index().assign(form=form)


def _has(table: pd.DataFrame, findings: pd.DataFrame, form: str, severity: str) -> np.ndarray:
    """1.0 for the records with a finding of a severity."""
    own = findings[(findings["level"] == form) & (findings["severity"] == severity)]
    places = pd.MultiIndex.from_frame(own[PLACE])
    rows = pd.MultiIndex.from_frame(table[[f"source_{name}" for name in PLACE]])
    return rows.isin(places).astype(float)


def _laid(survey: Survey, area: str, ledger: Ledger, form: str) -> pd.DataFrame:
    """Stratum, sample village and weight of every record received.

    A record that belongs nowhere (its village is unknown) is a village of its own; one without a
    usable weight has the median of its village, or of all.
    """
    table = ledger.tables[form]
    if form == "person":
        households = ledger.tables["household"].drop_duplicates("household_id")
        owner = households.set_index("household_id")
        weight = table["household_id"].map(owner["w_hh"])
        village = table["household_id"].map(owner["village_id"])
    else:
        weight, village = table[WEIGHT[form]], table["village_id"]
    own = "?" + table.index.astype("str").to_series(index=table.index)
    village = village.fillna("").astype("str")
    village = village.where(village != "", own)
    known = weight.astype("float64").where(weight.astype("float64") > 0)
    usual = known.groupby(village).transform("median").fillna(known.median()).fillna(1.0)
    county = county_of(survey, area, pd.DataFrame({"village_id": village}))
    lost = village.str.startswith("?").to_numpy()
    return pd.DataFrame({
        "village": village, "stratum": county.mask(lost, "?"), "weight": known.fillna(usual),
    })  # fmt: skip


def _design_based(frame: pd.DataFrame, level: float) -> pd.DataFrame:
    """Weighted rates with the limits of Korn and Graubard, by province."""
    design = Design("stratum", "village", "weight", lonely="adjust")
    table = estimate(frame, design, [proportion("hard")], by="province_id")
    p, se, n, df = (table[c].to_numpy(dtype=float) for c in ("estimate", "se", "n", "df"))
    low, high = korn_graubard(p, se, n, df, level=level)
    # Without degrees of freedom (one village, or one a county) nothing but the count is known.
    plain = clopper_pearson(np.round(p * n), n, level)
    low = np.where(np.isfinite(low), low, plain[0])
    high = np.where(np.isfinite(high), high, plain[1])
    index = pd.Index(table["province_id"], name="province_id")
    return pd.DataFrame({"weighted": p, "weighted_low": low, "weighted_high": high}, index=index)


def _judge(row: dict[Any, Any], limits: Acceptance) -> tuple[str, str]:
    """Verdict on one form, and why."""
    low, high = float(row["weighted_low"]), float(row["weighted_high"])
    between = f"{100 * low:.1f} to {100 * high:.1f} % of the records have a certain error"
    if low > limits.return_above:
        return "return", f"{between}, more than {100 * limits.return_above:g} %"
    if row["records"] < limits.min_records and high > limits.accept_up_to:
        return "cannot tell", f"fewer than {limits.min_records} records ({between})"
    if row["with_hard"] == 0 and high <= limits.return_above:
        return "accept", f"no certain error in {row['records']} records"
    if high <= limits.accept_up_to:
        return "accept", f"{between}, at most {100 * limits.accept_up_to:g} %"
    if high <= limits.return_above:
        return "accept with corrections", f"{between}, at most {100 * limits.return_above:g} %"
    return "cannot tell", f"{between}; the limit of {100 * limits.return_above:g} % lies within"


def _of_files(findings: pd.DataFrame, province: str) -> int:
    """Certain errors of a province's files as a whole (not of a record in them)."""
    prefix = findings["file"].astype("str").str.split("/").str[1].astype("str").fillna("")
    own = (prefix == province) if province else pd.Series(True, index=findings.index)
    whole = (findings["severity"] == "hard") & (findings["key"] == "") & (findings["line"] <= 1)
    return int((own & whole & (findings["file"] != "")).sum())


def _whole(
    province: str, rates: pd.DataFrame, of_files: int, limits: Acceptance
) -> dict[str, object]:
    """The verdict on a province's whole submission."""
    row: dict[str, object] = {"province_id": province, "form": ALL_FORMS}
    for name in ("records", "with_hard", "with_soft"):
        row[name] = int(rates[name].sum())
    if rates.empty:
        return {**row, "verdict": NOTHING, "reason": "no file of the province arrived"}
    votes = rates[(rates["records"] >= limits.min_records) | (rates["verdict"] == "return")]
    if votes.empty:
        reason = f"no form has {limits.min_records} records"
        return {**row, "verdict": "cannot tell", "reason": reason}
    rank = votes["verdict"].map(VERDICTS.index)
    worst = votes.iloc[int(rank.to_numpy().argmax())]
    verdict, reason = str(worst["verdict"]), f"{worst['form']} form: {worst['reason']}"
    silent = int(rates.loc[~rates.index.isin(votes.index), "with_hard"].sum())
    if verdict == "accept" and (silent or of_files):
        what = f"{silent + of_files} certain errors of files or on the forms with few records"
        verdict, reason = "accept with corrections", what
    return {**row, "verdict": verdict, "reason": reason}
