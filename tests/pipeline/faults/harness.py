"""Runs of the mini survey, disturbed at one place, and what must hold after them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
import yaml

from conftest import PROJECT

HERE = Path(__file__).parent
PATIENCE = 120  # seconds that a run may take on a busy machine
LINGER = 10  # seconds in which the last process of a run must have ended
ROWS = 60
COMMAND = [sys.executable, str(HERE / "mini.py"), "run", "--survey", "mini", "--jobs", "1"]
_CELLS = {
    "parameters": 'survey = ""\narea = ""',
    "read": (
        "from povmon import paths\n"
        "from povmon.pipeline.files import write_atomically\n"
        'sent = (paths.submissions(survey) / "household.csv").read_text("utf-8").splitlines()\n'
        "len(sent)"
    ),
    "trouble": (
        "import os\n"
        'exec(os.environ.get("POVMON_MINI_CELL", ""))  # what a test wants to go wrong here'
    ),
    "write": (
        'for name, rows in (("one", sent), ("two", sent[::-1])):\n'
        '    table = paths.processed(survey, area) / f"{name}.parquet"\n'
        '    write_atomically(table, "\\n".join(rows))'
    ),
    "late trouble": 'exec(os.environ.get("POVMON_MINI_LATE", ""))',
}


def mini_notebook() -> str:
    """A notebook that reads the submission and writes two tables."""
    cells = []
    for name, source in _CELLS.items():
        cell = nbformat.v4.new_code_cell(source, id=name.replace(" ", "-"))
        cell.metadata["tags"] = [name]
        cells.append(cell)
    return str(nbformat.writes(nbformat.v4.new_notebook(cells=cells)))


def mini_survey(root: Path) -> None:
    """Put the mini survey into a root: some rural records of the real one."""
    source, target = PROJECT / "data/raw/vlss1998", root / "data/raw/mini"
    about = yaml.safe_load((source / "survey.yml").read_text("utf-8"))
    about |= {"survey": "mini", "products": ["audit"], "areas": about["areas"][:1]}
    about["area_column"]["codes"] = {"no": "rural"}
    del about["published"]
    (target / "submissions").mkdir(parents=True)
    (target / "survey.yml").write_text(yaml.safe_dump(about, allow_unicode=True), "utf-8")
    (target / "mini.ipynb").write_text(mini_notebook(), "utf-8")
    lines = (source / "submissions" / "household.csv").read_text("utf-8").splitlines()
    rural = [line for line in lines[1:] if line.split(",")[4] == "no"]
    submission(root).write_text("\n".join([lines[0], *rural[:ROWS]]) + "\n", "utf-8")


def submission(root: Path) -> Path:
    """The file that the province sent."""
    return root / "data/raw/mini/submissions/household.csv"


def change(root: Path) -> None:
    """The province sends less: every page and table becomes another."""
    lines = submission(root).read_text("utf-8").splitlines()
    submission(root).write_text("\n".join(lines[: ROWS // 2]) + "\n", "utf-8")


# What a run keeps under hidden names.
KEPT = (".state", ".hash_key", ".memo")


@dataclass(frozen=True)
class Point:
    """A place of a run, and what happens there.

    Attributes
    ----------
    role : whose place it is: driver, worker, template or kernel.
    event, place : what it is about to do, and to which file (a pattern; see the shim).
    kind : ``kill`` (SIGKILL before it); ``torn`` (killed in its next write, after 16 bytes);
        ``short`` (that write fails after 16 bytes); ``full``, ``readonly`` (the disk, from here
        on, for all processes); or the name of a signal that the driver gets.
    nth : at which coming of the process to this place.
    fresh : in a run from nothing; otherwise in one after the submission has changed.
    late : what the last cell of the notebook runs besides.
    """

    role: str
    event: str
    place: str
    kind: str
    nth: int = 1
    fresh: bool = False
    late: str = ""

    def __str__(self) -> str:
        state = "fresh" if self.fresh else "again"
        return f"{self.role}-{self.kind}-{self.event}-{self.place}-{self.nth}-{state}"


def heed_signals() -> None:
    """The tests may run under nohup or in the background, where some signals are ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@dataclass
class Ended:
    """A run that has ended."""

    code: int
    output: str
    seconds: float


class Mini:
    """The mini survey in a root of its own, with a folder of its own for temporary files.

    Parameters
    ----------
    folder : where all of it goes; its path must be short.
    command : what a run is.
    """

    def __init__(self, folder: Path, command: Sequence[str] = COMMAND) -> None:
        self.command = command
        self.root, self.tmp = folder / "r", folder / "t"
        self.side = folder / "side"
        for path in (self.tmp, self.side):
            path.mkdir(parents=True)

    @property
    def mark(self) -> Path:
        """Exists once the fault has struck."""
        return self.side / "struck"

    def environment(self, point: Point | None = None, **more: str) -> dict[str, str]:
        """What the processes of a run know of the root and of the fault."""
        environment = {
            **os.environ,
            "POVMON_ROOT": str(self.root),
            "TMPDIR": str(self.tmp),
            "POVMON_FAULT_TMP": str(self.tmp),
            "PYTHONPATH": f"{HERE / 'shim'}:{PROJECT / 'src'}",
            **more,
        }
        if point:
            fault = {**point.__dict__, "mark": str(self.mark), "driver": str(self.side / "pid")}
            environment["POVMON_FAULT"] = json.dumps(fault)
            environment["POVMON_MINI_LATE"] = point.late
        return environment

    def start(
        self, point: Point | None = None, output: str = "output", **more: str
    ) -> subprocess.Popen[bytes]:
        """Start ``povmon run``; its output goes to a file, which no orphan can hold open."""
        with (self.side / output).open("wb") as stream:
            run = subprocess.Popen(
                self.command,
                cwd=PROJECT,
                env=self.environment(point, **more),
                stdout=stream,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=heed_signals,
            )
        (self.side / "pid").write_text(str(run.pid))
        return run

    def start_in_cell(self, then: str = "time.sleep(1000)") -> subprocess.Popen[bytes]:
        """Start a run and wait until its notebook is in a cell that takes very long."""
        reached = self.side / "reached"
        cell = f"import time; open({str(reached)!r}, 'w').close(); {then}"
        run = self.start(POVMON_MINI_CELL=cell)
        end = time.monotonic() + PATIENCE
        while not reached.exists():
            assert run.poll() is None and time.monotonic() < end, "the cell was not reached"
            time.sleep(0.02)
        return run

    def end(self, run: subprocess.Popen[bytes], output: str = "output") -> Ended:
        """Wait for a run."""
        begun = time.monotonic()
        try:
            code = run.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            for pid in self.processes():
                os.kill(pid, signal.SIGKILL)
            raise
        text = (self.side / output).read_text("utf-8", "replace")
        return Ended(code, text, time.monotonic() - begun)

    def run(self, point: Point | None = None, **more: str) -> Ended:
        """A whole run."""
        return self.end(self.start(point, **more))

    def processes(self) -> list[int]:
        """Processes that work for this root."""
        marker = f"POVMON_ROOT={self.root}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if marker in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
            except OSError:
                continue  # ended meanwhile, or another user's
        return found

    def of_role(self, role: str, driver: int) -> int:
        """A process of a run: its template (the driver's child), its worker, its kernel."""
        for pid in self.processes():
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            found = {
                "driver": pid == driver,
                "template": b"warmkernel.template" in words and parent == driver,
                "worker": name == "povmon.pipeline.worker"[:15] and parent != driver,
                "kernel": name == "ipykernel_launcher"[:15],
            }
            if found[role]:
                return pid
        raise AssertionError(f"there is no {role}")

    def gone(self, seconds: float = LINGER) -> bool:
        """True when the last process ends within some seconds."""
        end = time.monotonic() + seconds
        while self.processes():
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def bytes(self) -> dict[str, str]:
        """Hash of every file below reports and data/processed that is not the pipeline's own."""
        found = {}
        for top in ("reports", "data/processed"):
            for path in sorted((self.root / top).rglob("*")):
                name = path.relative_to(self.root).as_posix()
                own = any(f"/{kept}/" in name for kept in KEPT) or path.name == "run-log.jsonl"
                if path.is_file() and not own:
                    found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    def records(self) -> dict[str, dict[str, str]]:
        """What each task's record says: outputs and their hashes."""
        folder = self.root / "data/processed/.state/mini/tasks"
        files = sorted(folder.rglob("*.json"))
        return {p.stem: json.loads(p.read_text("utf-8"))["outputs"] for p in files}

    def leftovers(self) -> list[str]:
        """Temporary files, sockets, copies that went back, folders in TMPDIR."""
        state = self.root / "data/processed/.state"
        left = list(self.tmp.rglob("*"))
        for path in self.root.rglob("*"):
            hidden = path.name.startswith(".") and path.name not in KEPT
            left += [path] if hidden or path.suffix in (".tmp", ".partial") else []
        left += [p for p in (state / "mini" / "before").rglob("*") if p.is_file()]
        return sorted(str(p) for p in left)

    def log(self) -> list[dict[str, object]]:
        """The run log; a line that is no JSON is an error."""
        text = (self.root / "data/processed/mini/run-log.jsonl").read_text("utf-8")
        assert text.endswith("\n")
        return [json.loads(line) for line in text.splitlines()]


@dataclass
class Built:
    """Roots to start from, and the bytes that undisturbed runs give."""

    empty: Path
    made: Path
    before: Mapping[str, str]
    after: Mapping[str, str]
    places: list[tuple[str, str, str, int]]

    def copy(self, folder: Path, fresh: bool) -> Mini:
        """A root to disturb: never made, or made and with another submission since."""
        mini = Mini(folder)
        shutil.copytree(self.empty if fresh else self.made, mini.root)
        if not fresh:
            change(mini.root)
        return mini

    def wanted(self, fresh: bool) -> Mapping[str, str]:
        """The bytes that must be there in the end."""
        return self.before if fresh else self.after


def build(folder: Path) -> Built:
    """Undisturbed runs: from nothing, and after the submission has changed; places noted."""
    mini = Mini(folder / "one")
    mini_survey(mini.root)
    shutil.copytree(mini.root, folder / "empty")
    places: list[tuple[str, str, str, int]] = []
    states = []
    for state in ("fresh", "again"):
        log = folder / f"{state}.log"
        ended = mini.run(POVMON_FAULT_LOG=str(log))
        assert ended.code == 0, ended.output
        assert mini.gone() and not mini.leftovers()
        places += [(state, *json.loads(line)) for line in log.read_text().splitlines()]
        states.append(mini.bytes())
        if state == "fresh":
            shutil.copytree(mini.root, folder / "made")
            change(mini.root)
    assert states[0].keys() == states[1].keys()
    assert all(states[0][n] != states[1][n] for n in states[0]), "the change must reach every file"
    return Built(folder / "empty", folder / "made", states[0], states[1], places)


def nothing_half_written(mini: Mini, built: Built) -> None:
    """Each file is one of the whole ones; a record whose outputs are there tells the truth."""
    now = mini.bytes()
    for name, value in now.items():
        if "/failed/" in name or name.endswith((".tmp", ".partial")):
            continue
        assert value in (built.before[name], built.after[name]), f"{name} is half written"
    for task, outputs in mini.records().items():
        if all(now.get(name) == value for name, value in outputs.items()):
            states = [{n: s[n] for n in outputs} for s in (built.before, built.after)]
            assert outputs in states, f"{task} is a mixture"


def completes(mini: Mini, wanted: Mapping[str, str]) -> None:
    """The next run gives what was wanted and leaves nothing else; the one after finds no work."""
    ended = mini.run()
    assert ended.code == 0, ended.output
    assert mini.bytes() == wanted
    assert mini.gone(), "a process is left"
    assert mini.leftovers() == []
    assert mini.log()
    again = mini.run()
    assert again.code == 0 and " 0 made, 3 unchanged" in again.output, again.output
