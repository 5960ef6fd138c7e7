"""The details of an audit's page: files, remarks on them, corrections, rejections, weights."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from povmon.audit import Audit
from povmon.audit.evaluation import evaluation
from povmon.audit.rules import catalogue
from povmon.present import labels, numbers
from povmon.present.audits import (
    promptness_table,
    response_chart,
    response_table,
    response_text,
)
from povmon.present.display import Column, Figure, Table, Text, escape_markdown
from povmon.present.tables import nothing
from povmon.survey.forms import FORMS
from povmon.survey.origin import origin_text

Names = Mapping[str, str]
SHOWN = 30  # rows of a list on the page; the whole list stands in the data
ENCODINGS = {"utf-8": "UTF-8", "gb18030": "GB18030"}
FILE_RULES = {
    "folder_unexpected", "manifest", "file_not_read", "column_unknown", "column_missing",
    "file_no_rows", "file_changed", "file_row_count", "correction_unmatched",
}  # fmt: skip


def _origin(row: pd.Series) -> str:
    return origin_text(row["file"], row["sheet"], row["line"])


def _title(form: str) -> str:
    return FORMS[form].en if form in FORMS else form


def _first(frame: pd.DataFrame, what: str, where: str) -> str:
    """The note under a list that shows its first rows only."""
    if len(frame) <= SHOWN:
        return ""
    return f"The first {SHOWN} of {numbers.number(len(frame))} {what}; all stand in {where}."


def received_text(audit: Audit) -> Text:
    """What arrived: files, folders, rows, encodings, in a sentence."""
    files = audit.files
    kinds = [
        f"{ENCODINGS.get(str(name), str(name))} ({numbers.count_of(count, 'file')})"
        for name, count in files["encoding"].value_counts().sort_index().items()
    ]
    rows = [
        f"{numbers.number(count)} on the {_title(str(form)).lower()}"
        for form, count in files.groupby("form", sort=False)["rows_area"].sum().items()
    ]
    place = files["province_id"].nunique()
    source = "one delivery" if audit.survey.delivery == "whole" else numbers.count_of(
        place, "province"
    )  # fmt: skip
    return Text(
        f"{numbers.count_of(len(files), 'file')} from {source} "
        f"{'was' if len(files) == 1 else 'were'} read, in {numbers.listing(kinds)}, with "
        f"**{numbers.count_of(files['rows_area'].sum(), 'record')}** of this area: "
        f"{numbers.listing(rows)}."
    )


def files_table(audit: Audit) -> Table:
    """The files as they were read."""
    provinces = labels.domain_names("province", audit.survey.survey)
    files = audit.files
    frame = files.assign(
        place=[labels.domain(p, provinces) if p else "whole survey" for p in files["province_id"]],
        form=[_title(form) for form in files["form"]],
        encoding=[ENCODINGS.get(name, name) for name in files["encoding"]],
        digest=files["sha256"].str[:12],
    )
    return Table(
        frame,
        "Files received and how they were read",
        note="The first twelve digits of the SHA-256 checksum identify the file's content.",
        columns=[
            Column("file", "File", row_header=True),
            Column("place", "Sent by"),
            Column("form", "Form"),
            Column("encoding", "Encoding"),
            Column("rows", "Records in the file", format="integer"),
            Column("rows_area", "Of this area", format="integer"),
            Column("digest", "Checksum"),
        ],
        sortable=True,
    )


def remarks_table(audit: Audit) -> Table | Text:
    """What was noticed about files rather than records."""
    found = audit.findings[audit.findings["rule"].isin(FILE_RULES)]
    if found.empty:
        return nothing("the files", "every file and every column was as the forms want it")
    frame = pd.DataFrame(
        {
            "file": [
                origin_text(*place) for place in zip(found["file"], found["sheet"], strict=True)
            ],
            "column": found["column"],
            "message": found["message"],
        }
    )
    return Table(
        frame.head(SHOWN),
        "Remarks on the files",
        note=_first(frame, "remarks", "findings.parquet"),
        columns=[
            Column("file", "File", row_header=True),
            Column("column", "Column"),
            Column("message", "What was noticed"),
        ],
    )


def rejected_table(audit: Audit) -> Table | Text:
    """Rejected records by form and rule."""
    if audit.rejected.empty:
        return nothing("rejected records", "none was rejected")
    groups = audit.rejected.groupby(["form", "rule"], sort=True)
    frame = pd.DataFrame(
        [
            {
                "form": _title(str(form)),
                "rule": str(rule).replace("_", " "),
                "records": len(part),
                "example": f"{part['key'].iloc[0]}: {part['reason'].iloc[0]} "
                f"({_origin(part.iloc[0])})",
            }
            for (form, rule), part in groups
        ]
    )
    return Table(
        frame,
        "Rejected records by reason",
        note="Every rejected record stands in rejected.parquet with file, sheet, line and reason.",
        columns=[
            Column("form", "Form", row_header=True),
            Column("rule", "Reason"),
            Column("records", "Records", format="integer"),
            Column("example", "For example"),
        ],
    )


def corrections_text(audit: Audit) -> Text:
    """How many values were changed, by what."""
    log = audit.corrections
    if log.empty:
        return nothing("corrections", "no value was changed")
    by_reviewer = int(log["method"].str.startswith("reviewer").sum())
    blank = int((log["after"] == "").sum())
    cells = numbers.count_of(len(log), "value")
    records = log[["form", "key"]].drop_duplicates().shape[0]
    return Text(
        f"**{cells}** in {numbers.count_of(records, 'record')} "
        f"{'was' if len(log) == 1 else 'were'} changed: {numbers.number(blank)} made missing, "
        f"{numbers.number(len(log) - blank)} replaced; {numbers.number(by_reviewer)} of them by "
        f"reviewers."
    )


def corrections_table(audit: Audit) -> Table | Text:
    """Changed values by rule and column, with an example of each."""
    log = audit.corrections
    if log.empty:
        return nothing("corrections", "no value was changed")
    lines = []
    for (form, column, rule), part in log.groupby(["form", "column", "rule"], sort=True):
        row = part.iloc[0]
        lines.append(
            {
                "form": _title(str(form)),
                "column": FORMS[str(form)][str(column)].en,
                "rule": str(rule).replace("_", " "),
                "values": len(part),
                "example": f"{row['before'] or 'empty'} became {row['after'] or 'missing'} "
                f"({row['method']}; {_origin(row)})",
            }
        )
    return Table(
        pd.DataFrame(lines),
        "Changed values by field and rule",
        note="Each change stands in corrections_log.parquet. The files received are never edited.",
        columns=[
            Column("form", "Form", row_header=True),
            Column("column", "Field", row_header=True),
            Column("rule", "Rule"),
            Column("values", "Values", format="integer"),
            Column("example", "For example"),
        ],
        sortable=True,
    )


def rules_table(audit: Audit) -> Table:
    """The rules that apply to this survey's forms, with what each does."""
    levels = {"file", "any", *audit.survey.forms}
    counts = audit.findings["rule"].value_counts()
    judged = evaluation(audit.survey, audit.area, audit.records)
    reasons = dict(zip(judged["rule"], judged["reason"], strict=True))
    frame = pd.DataFrame(
        [
            {
                "rule": rule.id.replace("_", " "),
                "form": {"any": "every form", "file": "files"}.get(rule.level, _title(rule.level)),
                "severity": rule.severity,
                "kind": rule.kind,
                "action": rule.action,
                "text": rule.en.replace("{column}", "the field").replace("{detail}", "…"),
                "findings": int(counts.get(rule.id, 0)),
                "reason": reasons.get(rule.id, ""),
            }
            for rule in catalogue().values()
            if rule.level in levels
        ]
    )
    return Table(
        frame,
        "The catalogue of rules",
        note="Logical rules follow from definitions, statistical ones from a comparison with other "
        "records. Action: note leaves the value, blank makes it missing, correct replaces it, "
        "reject leaves the record out.",
        columns=[
            Column("rule", "Rule", row_header=True),
            Column("form", "Form"),
            Column("severity", "Severity"),
            Column("kind", "Kind"),
            Column("action", "Action"),
            Column("text", "What is reported"),
            Column("findings", "Findings", format="integer"),
            Column("reason", "Not evaluated, because"),
        ],
        sortable=True,
    )


def promptness(audit: Audit) -> Table | Text:
    """When each submission was expected and came."""
    if audit.survey.deadline is None:
        return nothing("promptness", "the survey has no deadline")
    return promptness_table(audit.promptness)


def response(audit: Audit) -> Table | Text:
    """Response by county; what was lost is named by `lost_text`, in words rather than a column."""
    return response_table(audit.response.assign(lost="", note=""), _county_names(audit))


def response_summary(audit: Audit) -> Text:
    """Response of the whole area in a sentence."""
    if audit.survey.design.households_per_village is None:
        return Text(
            f"The survey does not say how many households were drawn. Of "
            f"{numbers.number(audit.response['households_received'].sum())} received, "
            f"**{numbers.number(audit.response['households_accepted'].sum())}** were accepted. "
            f"The table counts those received as expected, so it says nothing of refusals."
        )
    return response_text(audit.response, _county_names(audit))


def response_figure(audit: Audit) -> Figure | Text:
    """Response by county as a chart."""
    if audit.survey.design.households_per_village is None:
        return nothing("response by county", "it is not known how many households were drawn")
    return response_chart(audit.response, _county_names(audit))


def weights_table(audit: Audit) -> Table | Text:
    """Persons represented before and after the weights were recomputed, by county."""
    if audit.survey.design.weights == "none":
        return nothing("weights", "the survey has none, and every household stands for itself")
    names = _county_names(audit)
    response = audit.response
    before = response["weight_sum_before"].astype("float64")
    frame = response.assign(
        county=[labels.domain(c, names) for c in response["county_id"]],
        factor=(response["weight_sum_after"] / before.where(before > 0)),
        reason=response["note"].where(response["note"] != "", "not on the county form"),
    )
    return Table(
        frame,
        "Persons represented by the accepted households, before and after",
        note="Before: with the weights as submitted. After: adjusted for households and villages "
        "that are missing, and calibrated to the county's rural registered population.",
        columns=[
            Column("county", "County", row_header=True),
            Column("weight_sum_before", "Before", "persons", "integer"),
            Column("weight_sum_after", "After", "persons", "integer"),
            Column("rural_population", "Rural population", "persons", "integer", "", "reason"),
            Column("factor", "After over before", "", "number:3", "", "reason"),
        ],
        sortable=True,
    )


def weights_text(audit: Audit) -> Text:
    """By how much the weights had to be changed."""
    if audit.survey.design.weights == "none":
        return nothing("weights", "the survey has none, and every household stands for itself")
    households = audit.records["household"]
    if households.empty:
        return nothing("weights", "no household was accepted")
    weight = households["w_person"]
    kish = len(weight) * float((weight**2).sum()) / float(weight.sum()) ** 2
    after, before = (audit.response[f"weight_sum_{when}"].sum() for when in ("after", "before"))
    change = float(after) / float(before) - 1 if before else float("nan")
    return Text(
        f"The accepted households represent **{numbers.number(after)}** persons, "
        f"{numbers.percent(abs(change))} {'more' if change >= 0 else 'fewer'} than with the "
        f"weights as submitted. Unequal weights raise the variance of a mean by a factor of "
        f"about {numbers.number(kish, 2)} (Kish)."
    )


def lost_text(audit: Audit) -> Text:
    """Villages, counties and provinces from which nothing could be used, by name."""
    names = _county_names(audit)
    response = audit.response
    gone = response[response["households_accepted"] == 0]
    partly = response[(response["lost"] != "") & (response["households_accepted"] > 0)]
    sentences = []
    if not gone.empty:
        listed = [escape_markdown(labels.domain(c, names)) for c in gone["county_id"]]
        sentences.append(
            f"**Lost: {numbers.listing(listed)}.** No household of these counties was accepted. "
            "They are in no figure of this area, and no other county stands in for them."
        )
    for county, lost in zip(partly["county_id"], partly["lost"], strict=True):
        villages = numbers.listing([escape_markdown(v) for v in str(lost).split(",")])
        sentences.append(
            f"**{escape_markdown(labels.domain(county, names))}** lost village {villages}; the "
            "county's other villages represent it."
        )
    if not sentences:
        return Text("No village and no county of the area was lost.")
    return Text("\n\n".join(sentences))


def _county_names(audit: Audit) -> Names:
    kind = "area" if audit.survey.counties == "none" else "county"
    return labels.domain_names(kind, audit.survey.survey)
