"""Worker processes: what they answer, and what happens when they die."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from conftest import PROJECT, copy_survey
from pipeline.faults.harness import heed_signals
from povmon.pipeline import preload
from povmon.pipeline import workers as module
from povmon.pipeline.environment import fixed_environment
from povmon.pipeline.notebook import NotebookJob
from povmon.pipeline.workers import Event, FunctionJob, Workers
from warmkernel import Template


@pytest.fixture
def workers(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    """Workers whose templates load little, so that they are there at once."""
    monkeypatch.setattr(module, "PRELOAD", ())
    monkeypatch.setattr(preload, "KERNEL", ())
    monkeypatch.setattr(preload, "WORKER", ())
    made = Workers(1, {"POVMON_ROOT": str(root)})
    yield made
    made.stop()


def last_event(workers: Workers, seconds: float = 60) -> Event:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for event in workers.wait(0.5):
            if event.kind != "cell":
                return event
    raise AssertionError("no answer")


def test_a_worker_answers_and_serves_again(workers: Workers) -> None:
    assert workers.free == 1
    workers.start(FunctionJob("one", "pool", {"survey": "nowhere"}))
    assert workers.free == 0
    event = last_event(workers)
    assert (event.task, event.kind) == ("one", "failed")
    assert "unknown survey 'nowhere'" in event.text and "Traceback" not in event.text
    pid = workers._workers[0].process.pid
    workers.start(FunctionJob("two", "nonsense", {}))
    assert "ModuleNotFoundError" in last_event(workers).text
    assert workers._workers[0].process.pid == pid


def test_a_killed_worker_fails_its_own_task_and_is_replaced(workers: Workers, root: Path) -> None:
    copy_survey("demo", root)
    workers.start(FunctionJob("one", "generate", {"survey": "demo"}))
    os.kill(workers._workers[0].process.pid, signal.SIGKILL)
    event = last_event(workers)
    assert (event.task, event.kind) == ("one", "failed")
    assert "SIGKILL, perhaps because memory ran out" in event.text
    workers.start(FunctionJob("two", "pool", {"survey": "nowhere"}))
    assert last_event(workers).task == "two"


@pytest.mark.skipif(sys.platform != "linux", reason="warm starts need Linux")
def test_a_worker_is_forked_and_ends_with_its_template(workers: Workers) -> None:
    workers.start(FunctionJob("one", "pool", {"survey": "nowhere"}))
    last_event(workers)
    template = workers._kernels
    assert template
    parent = Path(f"/proc/{workers._workers[0].process.pid}/stat").read_text().split()[3]
    assert int(parent) == template.pid
    worker = workers._workers[0].process
    workers.stop()
    assert worker.returncode is not None
    assert not template.usable and not Path(f"/proc/{template.pid}").exists()


@pytest.mark.slow
def test_ordinary_workers_serve_where_no_template_can_be_had(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(preload, "KERNEL", ("no_such_module",))
    workers = Workers(1, {"POVMON_ROOT": str(root)})
    workers.start(FunctionJob("one", "pool", {"survey": "nowhere"}))
    assert "unknown survey 'nowhere'" in last_event(workers).text
    assert isinstance(workers._workers[0].process, subprocess.Popen)
    assert "No warm start (no_such_module cannot be preloaded" in capsys.readouterr().out
    workers.stop()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="warm starts need Linux")
def test_the_template_has_what_a_page_needs(root: Path) -> None:
    """The kernel is forked from the run's template, and imports nothing third-party on its own."""
    notebooks = sorted((PROJECT / "notebooks").glob("*/*.ipynb"))
    cells = [c for path in notebooks for c in nbformat.read(path, as_version=4).cells]
    sources = [ast.parse(c.source) for c in cells if c.cell_type == "code"]
    imports = [n for tree in sources for n in tree.body if isinstance(n, ast.ImportFrom)]
    names = sorted({ast.unparse(n) for n in imports if (n.module or "").startswith("povmon")})
    assert names
    check = nbformat.v4.new_code_cell(SEEN % "\n".join(names), id="check")
    nbformat.write(nbformat.v4.new_notebook(cells=[check]), root / "small.ipynb")
    (root / "private" / "runtime").mkdir(parents=True)
    workers = Workers(1, fixed_environment(root / "private"))
    folder = root / "made"
    job = NotebookJob(
        task="a/small", notebook=root / "small.ipynb", parameters={}, page=folder / "a.html",
        executed=folder / "a.ipynb", failed=folder / "failed.ipynb",
        context={"title": "A", "subtitle": "", "synthetic": ""}, breadcrumbs=(), provenance={},
    )  # fmt: skip
    workers.start(job)
    event = last_event(workers, 300)
    assert event.kind == "made", event.text
    template = workers._kernels
    assert isinstance(template, Template)
    said = nbformat.read(folder / "a.ipynb", as_version=4).cells[-1].outputs[0].text
    workers.stop()
    assert said == f"{template.pid} []\n"


# Prints the parent, and the third-party packages that a page's imports have brought in.
SEEN = """import os, sys
before = {name.partition(".")[0] for name in sys.modules}
%s
files = {n.partition(".")[0]: getattr(m, "__file__", None) or "" for n, m in sys.modules.items()}
print(os.getppid(), [n for n, f in files.items() if "site-packages" in f and n not in before])"""


def processes_of(root: Path) -> list[int]:
    """Processes that work for a root."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"POVMON_ROOT={root}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue  # ended meanwhile, or another user's
    return [p for p in found if p != os.getpid()]


def descendants(pid: int) -> set[int]:
    """The processes that a process has started, and those that these have started."""
    parents = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(file.parent.name)] = int(file.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # ended meanwhile
    found, new = set[int](), {pid}
    while new:
        new = {child for child, parent in parents.items() if parent in new}
        found |= new
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_an_interrupt_ends_everything_and_the_next_run_goes_on(tmp_path: Path) -> None:
    root, said = tmp_path / "root", tmp_path / "said.txt"
    copy_survey("vlss1998", root)
    with said.open("w") as file:
        run = subprocess.Popen(
            [sys.executable, "-m", "povmon.pipeline", "run", "--survey", "vlss1998"],
            cwd=PROJECT,
            env={**os.environ, "POVMON_ROOT": str(root)},
            preexec_fn=heed_signals,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    end = time.monotonic() + 120
    while " made " not in said.read_text() and time.monotonic() < end:  # others are at work
        time.sleep(0.05)
    started = descendants(run.pid)
    begun = time.monotonic()
    run.send_signal(signal.SIGINT)
    assert run.wait(90) == 130, said.read_text()
    assert time.monotonic() - begun < 60  # a quiet machine needs a fraction of a second
    output = said.read_text()
    assert "Traceback" not in output and "Stopped." in output
    assert len(started) >= 3, "templates and kernels"
    time.sleep(2)  # a kernel looks for its parent each second
    assert processes_of(root) == [] and not [p for p in started if Path(f"/proc/{p}").exists()]
    assert not list(root.rglob("*.tmp"))
