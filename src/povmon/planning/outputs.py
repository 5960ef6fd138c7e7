"""Writing an area's draft plan and its review."""

from __future__ import annotations

import pandas as pd

from povmon import paths
from povmon.placing import placed
from povmon.planning.draft import Draft, draft_frame
from povmon.planning.review import review


def write_draft(draft: Draft) -> pd.DataFrame:
    """Write ``plan.parquet`` and ``plan_review.parquet`` of the area.

    Returns
    -------
    frame: one row a file, with its path below data/processed, its rows and what it holds.
    """
    folder = paths.processed(draft.survey.survey, draft.area)
    folder.mkdir(parents=True, exist_ok=True)
    parts = {
        "plan": (draft_frame(draft), "the draft, one row a statement"),
        "plan_review": (review(draft), "the review, one row a requirement"),
    }
    rows = []
    for name, (frame, what) in parts.items():
        with placed(folder / f"{name}.parquet") as temporary:
            frame.to_parquet(temporary, index=False)
        rows.append({"file": f"{name}.parquet", "rows": len(frame), "holds": what})
    return pd.DataFrame(rows)
