"""From estimates to plans: outline, targets, priorities, schedule, review, liaison."""

from povmon.planning.draft import (
    ChapterView,
    Draft,
    chapter_situation,
    chapters,
    draft_frame,
    load_draft,
    provinces_frame,
    situation,
    tables_received,
)
from povmon.planning.liaison import (
    Brief,
    brief_behind,
    brief_gaps,
    brief_need,
    brief_situation,
    coverage,
    duties_frame,
    load_brief,
    units_frame,
    units_of_survey,
)
from povmon.planning.outline import load_outline, outline_frame, tasks_frame
from povmon.planning.outputs import write_draft
from povmon.planning.review import review
from povmon.planning.tables import roll_up
from povmon.planning.targets import load_targets, open_items, target_gaps

__all__ = [
    "Brief",
    "ChapterView",
    "Draft",
    "brief_behind",
    "brief_gaps",
    "brief_need",
    "brief_situation",
    "chapter_situation",
    "chapters",
    "coverage",
    "draft_frame",
    "duties_frame",
    "load_brief",
    "load_draft",
    "load_outline",
    "load_targets",
    "open_items",
    "outline_frame",
    "provinces_frame",
    "review",
    "roll_up",
    "situation",
    "tables_received",
    "target_gaps",
    "tasks_frame",
    "units_frame",
    "units_of_survey",
    "write_draft",
]
