"""What the workbook says about a field, in English and Chinese."""

from __future__ import annotations

from povmon.survey.config import Survey
from povmon.survey.fields import UNITS_ZH, Field

TYPES = {
    "id": ("code, as text", "代码（文本）"),
    "code": ("choose from the list", "从下拉列表选择"),
    "integer": ("whole number", "整数"),
    "number": ("number", "数值"),
    "boolean": ("yes or no", "是或否"),
}
AGES = ("age", "head_age")


def both(en: str, zh: str, gap: str = " ") -> str:
    """Chinese before English, either of which may be empty."""
    return gap.join(text for text in (zh, en) if text)


def unit_zh(survey: Survey, field: Field) -> str:
    """A field's unit in Chinese; empty where the survey gives none for its money."""
    if field.unit == survey.currency.unit and survey.currency.zh:
        return survey.currency.zh
    if field.name in AGES:
        return "周岁"
    return UNITS_ZH.get(field.unit, "")


def unit(survey: Survey, field: Field) -> str:
    """A field's unit in both languages, e.g. ``亩 mu``; empty where it has none."""
    return both(field.unit, unit_zh(survey, field)) if field.unit else ""


def limits(field: Field) -> tuple[str, str]:
    """The permitted range in English and Chinese; empty where there is none."""
    low, high = field.minimum, field.maximum
    if low is not None and 0 < low < 1e-6:
        return "more than 0", "大于0"
    if low is not None and low == high:
        return f"{low:g}", f"{low:g}"
    if low is not None and high is not None:
        return f"{low:,g} to {high:,g}", f"{low:,g}至{high:,g}"
    if low is not None:
        return f"{low:,g} or more", f"不小于{low:,g}"
    return ("", "") if high is None else (f"{high:,g} or less", f"不大于{high:,g}")


def prompt(survey: Survey, field: Field) -> str:
    """What is shown while a cell of the field is selected: Chinese first, then English."""
    zh, en = [field.note_zh], [field.note]
    zh.append(TYPES[field.dtype][1])
    en.append(TYPES[field.dtype][0])
    if field.unit:
        zh.append(f"单位：{unit_zh(survey, field) or field.unit}")
        en.append(f"unit: {field.unit}")
    low_high = limits(field)
    if low_high[0]:
        zh.append(f"范围：{low_high[1]}")
        en.append(f"range: {low_high[0]}")
    zh.append("必填" if field.required else "不详则留空")
    en.append("required" if field.required else "leave blank if unknown")
    english = "; ".join(part for part in en if part)
    return f"{'；'.join(part for part in zh if part)}。\n{english[0].upper()}{english[1:]}."
