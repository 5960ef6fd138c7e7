"""What a province is asked to check, and what it answered with its next submission.

Everything that was found about one value (or one record, or one file) is one item, however many
rules found it. Items are ordered by their influence on the published figures.
"""

from __future__ import annotations

import hashlib
import re

import numpy as np
import pandas as pd

from povmon.audit.ledger import PLACE, label
from povmon.audit.rules import catalogue
from povmon.survey.config import Survey
from povmon.survey.forms import FORMS

REVIEW = [
    "province_id", "item", "severity", "influence", "influence_cell", *PLACE, "level", "key",
    "column", "value", "expected", "rules", "en", "zh", "done", "status",
]  # fmt: skip
FOLLOWED = ["province_id", "item", "status", "severity", "influence", *PLACE, "level", "key",
            "column", "before", "now", "rules", "en", "zh", "answer", "comment"]  # fmt: skip
# What was done on purpose, or says nothing that a province could check.
NOT_ASKED = {
    "value_normalised", "correction_applied", "correction_unmatched", "calibration_far",
    "previous_missing",
}  # fmt: skip
STATUSES = ("resolved", "withdrawn", "changed, still failing", "unanswered", "confirmed")
ANSWERS = {"right": "确认无误", "corrected": "已更正", "withdrawn": "已撤回"}
CONFIRMED = "confirmed"
# What stands in the place of {detail}, as the checks write it, in Chinese.
DETAILS = (
    (r"^(\S+) stated, (\d+) listed$", r"填报 \1 人，名单 \2 人"),
    (r"^above 0$", "大于 0"),
    (r"^(\S+) or more$", r"\1 及以上"),
    (r"^(\S+) to (\S+)$", r"\1 至 \2"),
    (r"^(\S+) against (\S+)$", r"\1 与 \2"),
    (r"^in ten thousands$", "以万为单位"),
    (r"^ten thousand times too large$", "放大了一万倍"),
    (r"^village (\S+)$", r"村 \1"),
    (r"^household (\S+)$", r"户 \1"),
    (r"^county (\S+)$", r"县 \1"),
    (r"^(\d+) of (\S+)$", r"\1（\2）"),
    (r"^(\d+) rows in the file, (\d+) in the manifest$", r"文件中 \1 行，清单为 \2 行"),
    (r"^there is no manifest$", "没有清单"),
)


def review_list(
    survey: Survey, area: str, findings: pd.DataFrame, corrections: pd.DataFrame
) -> pd.DataFrame:
    """The items to check, those with most influence first.

    Parameters
    ----------
    survey, area : what was audited.
    findings : with influence (see `add_influence`).
    corrections : what the audit changed.

    Returns
    -------
    One row an item (see `REVIEW`): item (an identifier that stays the same from one submission
    to the next), severity (hard if any rule is), influence (NaN: none), where it stands, value
    as submitted, expected (NaN: nothing was), rules (their ids), en and zh (what they say), done
    (what the audit did meanwhile, in English; ""), status ("": first submission).
    """
    asked = findings[~findings["rule"].isin(NOT_ASKED)].reset_index(drop=True)
    asked = asked.assign(
        province_id=_province(survey, area, asked),
        item=_identifiers(asked),
        zh=_chinese(asked),
    )
    hard = asked["severity"] == "hard"
    asked["order"] = np.where(hard, 0, 1)
    asked = asked.sort_values("order", kind="stable")
    groups = asked.groupby("item", sort=False)
    first = groups.head(1).set_index("item")
    strongest = asked.sort_values("influence", ascending=False, kind="stable", na_position="last")
    strongest = strongest.groupby("item", sort=False).head(1).set_index("item")
    first["influence"] = strongest["influence"]
    first["influence_cell"] = strongest["influence_cell"]
    first["expected"] = groups["expected"].max()
    for name, source in (("rules", "rule"), ("en", "message"), ("zh", "zh")):
        first[name] = groups[source].agg(_joined)
    first = first.reset_index()
    first["done"] = _done(first, corrections)
    return _in_order(first.assign(status=""))


def _in_order(items: pd.DataFrame) -> pd.DataFrame:
    """By influence; certain errors first among equals; what was confirmed comes last."""
    keys = pd.DataFrame({
        "confirmed": items["status"] == CONFIRMED,
        "influence": -items["influence"].fillna(-1.0),
        "soft": items["severity"] == "soft",
        **{name: items[name] for name in PLACE}, "column": items["column"],
    })  # fmt: skip
    order = keys.sort_values([str(name) for name in keys], kind="stable").index
    types = {"influence": "float64", "expected": "float64", "line": "int64"}
    texts = {name: "str" for name in REVIEW if name not in types}
    return items.loc[order, REVIEW].astype({**types, **texts}).reset_index(drop=True)


def _joined(texts: pd.Series) -> str:
    return "; ".join(dict.fromkeys(str(text) for text in texts))


def _province(survey: Survey, area: str, findings: pd.DataFrame) -> pd.Series:
    """The province that sent the file; for a finding without a file, that of the county."""
    if survey.delivery == "whole":
        return pd.Series("", index=findings.index, dtype="str")
    path = findings["file"].str.extract(rf"^{area}/([^/]+)", expand=False)
    return path.fillna(findings["key"].str[:2]).astype("str")


def _identifiers(findings: pd.DataFrame) -> pd.Series:
    """Eight digits from what the item is about; the line counts only where nothing else names it.

    An identifier holds from one delivery to the next, whatever the file is called.
    """
    without = findings["key"] == ""
    place = (findings["file"] + "|" + findings["line"].astype("str")).where(without, "")
    rule = findings["rule"].where(without, "")
    text = findings["level"] + "|" + findings["key"] + "|" + findings["column"]
    text = text + "|" + place + "|" + rule
    codes = {t: hashlib.sha256(t.encode()).hexdigest()[:8] for t in text.unique()}
    return text.map(codes).astype("str")


def _chinese(findings: pd.DataFrame) -> list[str]:
    rules = catalogue()
    return [
        rules[rule]
        .zh.replace("{column}", _label_zh(level, column))
        .replace("{detail}", _detail_zh(detail))
        for rule, level, column, detail in zip(
            findings["rule"], findings["level"], findings["column"], findings["detail"], strict=True
        )
    ]


def _detail_zh(detail: str) -> str:
    for pattern, chinese in DETAILS:
        if re.match(pattern, detail):
            return re.sub(pattern, chinese, detail)
    return detail


def _label_zh(form: str, column: str) -> str:
    if form in FORMS and column in FORMS[form].columns:
        return FORMS[form][column].zh
    return label(form, column)


def _done(items: pd.DataFrame, corrections: pd.DataFrame) -> pd.Series:
    """What the audit did with each item's value or record meanwhile."""
    last = corrections.drop_duplicates(["form", "key", "column"], keep="last")
    after = last.set_index(["form", "key", "column"])["after"].to_dict()
    actions = {rule.id: rule.action for rule in catalogue().values()}
    done = []
    for level, key, column, rules in zip(
        items["level"], items["key"], items["column"], items["rules"], strict=True
    ):
        if any(actions[rule] == "reject" for rule in rules.split("; ")):
            done.append("the record was left out")
        elif (level, key, column) in after:
            value = after[level, key, column]
            done.append(f"changed to {value}" if value else "made missing")
        else:
            done.append("")
    return pd.Series(done, index=items.index, dtype="str")


def follow_up(
    before: pd.DataFrame, now: pd.DataFrame, given: pd.DataFrame, received: dict[str, set[str]],
    again: set[str],
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """What became of the items of the former submission.

    Parameters
    ----------
    before, now : `review_list` of the former and of the present submission.
    given : the province's answers (see `povmon.audit.answers.read_answers`).
    received : form -> keys of the records of the present submission.
    again : provinces that have sent again since; the others owe no answer yet.

    Returns
    -------
    One row an item of the former submission of these provinces (see `FOLLOWED`) with its status:
    resolved (found no more), withdrawn (its record is not sent any more), changed, still failing
    (another value, which fails too), unanswered (the same value without a word), confirmed (the
    same value, and the province says that it is right). A certain error cannot be confirmed: it
    contradicts itself. And the present list with each item's status ("new" where it was not in
    the former, "" for provinces that have not sent again).
    """
    values = now.drop_duplicates("item").set_index("item")["value"]
    answers = given.drop_duplicates("item", keep="last").set_index("item")
    out = before[before["province_id"].isin(again)].rename(columns={"value": "before"})
    out["now"] = out["item"].map(values).fillna("")
    out["answer"] = out["item"].map(answers["answer"]).astype("str").fillna("")
    out["comment"] = out["item"].map(answers["comment"]).astype("str").fillna("")
    present = out["item"].isin(values.index)
    sent = [
        key == "" or key in received.get(level, set())
        for level, key in zip(out["level"], out["key"], strict=True)
    ]
    same = out["now"] == out["before"]
    right = (out["answer"] == "right") & (out["severity"] == "soft")
    out["status"] = np.select(
        [~present & ~np.array(sent, dtype=bool), ~present, ~same, right],
        ["withdrawn", "resolved", "changed, still failing", CONFIRMED],
        "unanswered",
    )
    status = out.set_index("item")["status"]
    owed = now["province_id"].isin(again)
    marked = now.assign(status=now["item"].map(status).fillna("new").where(owed, ""))
    return out[FOLLOWED].reset_index(drop=True), _in_order(marked)


def no_follow_up() -> pd.DataFrame:
    """The empty table of a first submission."""
    types = {"influence": "float64", "line": "int64"}
    return pd.DataFrame(columns=FOLLOWED).astype({n: types.get(n, "str") for n in FOLLOWED})
