"""The command line. What a command needs is imported when it runs: doing nothing must be quick."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from povmon.errors import PovmonError
from povmon.pipeline.signals import Stopped, ending, stoppable


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code. A wrong input prints one paragraph."""
    options = _parser().parse_args(arguments)
    _open_standard_streams()
    try:
        with stoppable():
            return int(options.command(options))
    except PovmonError as error:
        return _last_words(f"\n{error}\n", 1)
    except KeyboardInterrupt as error:
        ending()
        number = error.number if isinstance(error, Stopped) else signal.SIGINT
        text = "\nStopped. What was finished is kept; the next run goes on from there."
        return _last_words(text, 128 + number)
    except BrokenPipeError:
        return _last_words("", 1)
    except OSError as error:
        name = f"{os.path.basename(str(error.filename))}: " if error.filename else ""
        return _last_words(f"\n{name}{error.strerror or error}. Run make again.\n", 1)


def _last_words(text: str, code: int) -> int:
    """Say why this is the end, where anybody listens; returns the exit code."""
    stream = sys.stdout if code > 128 else sys.stderr
    with suppress(OSError):
        print(text, file=stream, flush=True)
    try:
        sys.stdout.flush()
    except OSError:  # the reader or the terminal is gone: Python shall not complain of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _open_standard_streams() -> None:
    """Streams that the caller has closed (``>&-``) lead nowhere, and not into the next file."""
    while (number := os.open(os.devnull, os.O_RDWR)) < 3:
        os.set_inheritable(number, True)
    os.close(number)
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w", encoding="utf-8"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="povmon", description="From raw household-survey submissions to poverty reports."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    run = _command(commands, "run", _run, "bring a survey's tables and pages up to date")
    run.add_argument("--area", default="", help="only this area, and what hangs on it")
    run.add_argument("--jobs", default="", help="how many notebooks at once (default: cores)")
    run.add_argument("--scheduler", default="", help="run on the Dask cluster at tcp://host:port")
    run.add_argument("--stop", action="store_true", help="stop at the first failure")
    why = _command(commands, "why", _why, "say what is stale, and why")
    why.add_argument("task", nargs="?", default="", help="a task or a report (default: all)")
    _command(commands, "log", _log, "show what the last run did, and how long it took")
    generate = _command(commands, "generate", _generate, "write a generated survey's submissions")
    generate.add_argument("--force", action="store_true", help="write them again")
    _command(commands, "calibration", _calibration, "print the generator's targets and results")
    forms = _command(commands, "forms", _forms, "write the Excel workbooks that provinces fill in")
    forms.add_argument("--area", default="", help="only this area's workbooks")
    commands.add_parser("codebook", help="write the codebook").set_defaults(command=_codebook)
    score = _command(commands, "audit-score", _audit_score, "score the audit on planted errors")
    score.add_argument("--planted", default="", help="a log of planted errors (CSV) of your own")
    score.add_argument("--check", action="store_true", help="fail when a limit is missed")
    score.add_argument("--jobs", default="", help="how many areas at once (default: cores)")
    _command(commands, "rules", _rules, "write the catalogue of audit rules")
    verify = _command(commands, "verify", _verify, "build twice from nothing and compare all files")
    verify.add_argument("--here", action="store_true", help="compare what stands here with a build")
    lab = commands.add_parser("lab", help="open JupyterLab on the notebooks, with the demo survey")
    lab.set_defaults(command=_lab)
    notebook = _command(commands, "notebook", _notebook, "open an area's executed notebook")
    notebook.add_argument("--area", required=True, help="the area")
    notebook.add_argument("--report", default="indicators", help="audit, indicators or plan")
    notebook.add_argument("--fresh", action="store_true", help="set an earlier copy aside")
    for opening in (lab, notebook):
        opening.add_argument("--no-browser", action="store_true", help="only print the address")
    bench = _command(commands, "bench", _bench, "measure time, memory and sizes")
    bench.add_argument("--area", default="", help="the area to rebuild (default: the first)")
    return parser


def _command(
    commands: Any,
    name: str,
    run: object,
    text: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.add_argument("--survey", default="baseline2010", help="folder below data/raw")
    parser.set_defaults(command=run)
    return parser


def _jobs(text: str, scheduler: str = "") -> int:
    from povmon.pipeline.runs import default_jobs

    if not text:
        return default_jobs(scheduler)
    if not text.isdecimal() or not 1 <= int(text) <= 256:
        raise PovmonError(
            f"{text!r} is no number of jobs", where="JOBS", todo="give a whole number from 1 to 256"
        )
    return int(text)


def _run(options: argparse.Namespace) -> int:
    from povmon.pipeline import sandbox
    from povmon.pipeline.runs import make, report

    if not (options.scheduler or os.environ.get(sandbox.ADDRESS)):
        sandbox.isolate()
    jobs = _jobs(options.jobs, options.scheduler)
    outcome = make(options.survey, options.area, jobs, not options.stop, options.scheduler)
    return report(outcome, options.survey)


def _why(options: argparse.Namespace) -> int:
    from povmon.pipeline.explain import explain

    print(explain(options.survey, options.task))
    return 0


def _log(options: argparse.Namespace) -> int:
    from povmon.pipeline.runlog import show

    print(show(options.survey))
    return 0


def _generate(options: argparse.Namespace) -> int:
    from povmon.pipeline.runs import locked
    from povmon.pipeline.steps.generate import generated

    with locked():
        print(generated(options.survey, options.force))
    return 0


def _calibration(options: argparse.Namespace) -> int:
    from povmon.synthetic.calibration import main_calibration

    print(main_calibration(options.survey))
    return 0


def _forms(options: argparse.Namespace) -> int:
    from povmon.pipeline.files import label
    from povmon.pipeline.runs import locked
    from povmon.survey import load_survey
    from povmon.survey.workbook import write_forms

    with locked():
        done = write_forms(load_survey(options.survey), options.area)
    for path in done.written:
        print(f"Wrote {label(path)}")
    for remark in done.remarks:
        print(remark)
    if done.written:
        print(f"{len(done.written)} workbooks of form version {done.version}.")
    return 0


def _audit_score(options: argparse.Namespace) -> int:
    from povmon.pipeline.audit_score import audit_score
    from povmon.pipeline.runs import locked

    with locked():
        met = audit_score(options.survey, options.planted, _jobs(options.jobs))
    return 0 if met or not options.check else 1


def _codebook(_: argparse.Namespace) -> int:
    from povmon import paths
    from povmon.indicators.catalogue import catalogue_table
    from povmon.pipeline.files import label
    from povmon.survey.codebook import write
    from povmon.survey.spreadsheet import neutral_frame

    folder = paths.reports() / "codebook"
    written = write(folder)
    indicators = folder / "indicators.csv"
    neutral_frame(catalogue_table()).to_csv(indicators, index=False, lineterminator="\n")
    for path in [*written, indicators]:
        print(f"Wrote {label(path)}")
    return 0


def _rules(options: argparse.Namespace) -> int:
    from povmon import paths
    from povmon.audit.rulebook import write
    from povmon.pipeline.files import label

    for path in write(paths.reports() / "rules", options.survey):
        print(f"Wrote {label(path)}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    from povmon.pipeline.verify import verify

    return 0 if verify(options.survey, options.here) else 1


def _lab(options: argparse.Namespace) -> int:
    from povmon.pipeline.lab import lab
    from povmon.pipeline.runs import default_jobs, make, report

    code = report(make("demo", "", default_jobs()), "demo")
    return code or lab(not options.no_browser)


def _notebook(options: argparse.Namespace) -> int:
    from povmon.pipeline.lab import notebook, working_copy
    from povmon.pipeline.runs import default_jobs, make, report

    made = make(options.survey, options.area, default_jobs())
    code = report(made, options.survey)
    if f"{options.area}/{options.report}" in {**made.failed, **made.skipped}:
        return code
    copy = working_copy(options.survey, options.area, options.report, options.fresh, _ask)
    return notebook(copy, not options.no_browser)


def _ask(question: str) -> bool:
    """A question answered with yes or no; no where nobody sits at a terminal."""
    if not sys.stdin.isatty():
        return False
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _bench(options: argparse.Namespace) -> int:
    from povmon.pipeline.bench import bench

    print(bench(options.survey, options.area))
    return 0
