"""What matters most: the deprivations behind multidimensional poverty and the neediest counties."""

from __future__ import annotations

import pandas as pd

from povmon.indicators.multidimensional import definition
from povmon.planning._read import Row, by_indicator
from povmon.planning.outline import Outline

_NEED_COLUMNS = [
    "rank", "county_id", "county_zh", "county_en", "province_zh", "province_en", "key_county",
    "unit", "estimate", "ci_low", "ci_high", "n", "flag", "overlaps_first", "reason",
]  # fmt: skip


def deprivation_priorities(outline: Outline, estimates: pd.DataFrame, area: str) -> pd.DataFrame:
    """Rank the deprivations by their share in M0 and set the key tasks beside them.

    The contribution of indicator j is w_j h_j / M0, with the censored headcount h_j (Alkire and
    Foster, 2011, section 5); the contributions add up to 1.

    Parameters
    ----------
    outline : gives the key tasks.
    estimates : estimates table of the area.
    area : area id.

    Returns
    -------
    frame, one row a deprivation, largest contribution first: rank, deprivation, en, zh,
    contribution, ci_low, ci_high, cumulative, uncensored (share of persons deprived),
    uncensored_low, uncensored_high, uncensored_reason, tasks (English), tasks_zh, chapter. Empty
    where the area has no contributions that may be published.
    """
    found = by_indicator(estimates, "area", area)
    rows: list[Row] = []
    for name, words in definition().deprivations.items():
        key = f"mpi_contribution_{name}"
        if key not in found or pd.isna(found[key]["estimate"]):
            continue
        tasks = outline.tasks_for(name)
        rows.append(
            {
                "deprivation": name, "en": words.en, "zh": words.zh,
                **_three(found, key, "contribution", "ci_low", "ci_high"),
                **_three(found, f"mpi_uncensored_{name}", "uncensored", "uncensored_low",
                         "uncensored_high"),
                "uncensored_reason": str(found.get(f"mpi_uncensored_{name}", {}).get("reason", "")),
                "tasks": "; ".join(t.en for t in tasks), "tasks_zh": "；".join(t.zh for t in tasks),
                "chapter": "; ".join(outline.chapter(t.chapter).en for t in tasks),
            }
        )  # fmt: skip
    columns = [
        "rank", "deprivation", "en", "zh", "contribution", "ci_low", "ci_high", "cumulative",
        "uncensored", "uncensored_low", "uncensored_high", "uncensored_reason", "tasks",
        "tasks_zh", "chapter",
    ]  # fmt: skip
    if not rows:
        return pd.DataFrame(columns=columns)
    # A stable sort keeps the outline's order where contributions are equal.
    frame = pd.DataFrame(rows).sort_values("contribution", ascending=False, kind="stable")
    frame = frame.reset_index(drop=True)
    frame["rank"] = frame.index + 1
    frame["cumulative"] = frame["contribution"].cumsum()
    return frame[columns]


def _three(found: dict[str, Row], key: str, *names: str) -> dict[str, float]:
    """Estimate and interval of an indicator under other names; NaN where it is absent."""
    if key not in found:
        return dict.fromkeys(names, float("nan"))
    values = (float(found[key][c]) for c in ("estimate", "ci_low", "ci_high"))
    return dict(zip(names, values, strict=True))


def leading(priorities: pd.DataFrame, share: float) -> pd.DataFrame:
    """The fewest deprivations that together make up at least `share` of M0 (0-1)."""
    before = priorities["cumulative"] - priorities["contribution"]
    return priorities[before < share]


def greatest_need(
    estimates: pd.DataFrame, counties: pd.DataFrame, indicator: str = "headcount"
) -> pd.DataFrame:
    """Counties of an area by need, largest headcount first; withheld ones are never ranked.

    Parameters
    ----------
    estimates : estimates table of the area.
    counties : reference counties of the area (county_id, names, key_county).
    indicator : a share for which more is worse.

    Returns
    -------
    frame, one row a county: rank (missing where the estimate is withheld), names, estimate,
    interval, n, flag, overlaps_first (its interval reaches that of the first county, so that
    the order of the two cannot be told), reason. Counties without a rank come last.
    """
    rows = estimates[
        (estimates["domain_kind"] == "county") & (estimates["indicator"] == indicator)
    ].drop(columns="area")
    frame = rows.merge(counties, left_on="domain", right_on="county_id", how="left")
    frame["county_id"] = frame["domain"]
    frame = frame.sort_values(["estimate", "domain"], ascending=[False, True], na_position="last")
    frame = frame.reset_index(drop=True)
    shown = frame["estimate"].notna()
    frame["rank"] = pd.array(range(1, len(frame) + 1), dtype="Int64")
    frame["rank"] = frame["rank"].where(shown)
    first = frame["ci_low"].iloc[0] if shown.any() else float("nan")
    frame["overlaps_first"] = shown & (frame["ci_high"] >= first)
    return frame.reindex(columns=_NEED_COLUMNS)
