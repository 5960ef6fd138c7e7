"""``povmon run`` on a survey of three small tasks: a notebook, a step, a page of what there is.

Command line, lock, facts, records, workers and kernels are the real ones; only the list of tasks
is replaced, and `mini_slips` and `mini_index` count as steps of the pipeline.
"""

import sys
from pathlib import Path

from povmon import paths
from povmon.pipeline.facts import Facts
from povmon.pipeline.tasks import Page, Task


def tasks(facts: Facts) -> dict[str, Task]:
    """The three tasks."""
    survey = facts.survey
    raw, reports = paths.raw(survey), paths.reports(survey)
    page = reports / "rural" / "audit.html"
    tables = (paths.processed(survey, "rural") / f"{n}.parquet" for n in ("one", "two"))
    audit = Task(
        "rural/audit",
        survey,
        {"survey": survey, "area": "rural"},
        notebook=raw / "mini.ipynb",
        inputs=(raw / "survey.yml", paths.submissions(survey)),
        outputs=(*tables, page),
        page=Page(
            page,
            {"title": "Audit", "subtitle": "Mini", "synthetic": ""},
            (("All areas", "../index.html"),),
        ),
    )
    slips = Task(
        "rural/returns",
        survey,
        {"survey": survey},
        function="mini_slips",
        uses={"rural/audit": "*.parquet"},
    )
    index = Task(
        "index",
        survey,
        {"survey": survey},
        function="mini_index",
        uses={"rural/audit": "", "rural/returns": "*.html"},
        outputs=(reports / "index.html",),
        soft=True,
        links=("rural/audit.html",),
    )
    return {t.id: t for t in (audit, slips, index)}


def main() -> int:
    """Run the real command line on these tasks."""
    from povmon.pipeline import cli, preload, runs

    runs.survey_tasks = tasks
    preload.KERNEL = ()  # its cells need none of it
    return cli.main()


if __name__ == "__main__":
    # Only the driver: a worker that loads this file to learn of `__main__` comes no further.
    sys.path.remove(str(Path(__file__).parent))
    sys.exit(main())
