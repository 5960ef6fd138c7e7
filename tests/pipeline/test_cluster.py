"""Jobs on a Dask cluster: with a client that is only pretended, and with a real one on loopback."""

from __future__ import annotations

import os
import pickle
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conftest import PROJECT, copy_survey, povmon
from loopback import Cluster, two_workers
from pipeline.faults.harness import heed_signals
from pipeline.test_demo import bytes_of
from pipeline.test_workers import processes_of
from povmon.errors import PovmonError
from povmon.estimate.scale import workers as scale
from povmon.pipeline import cluster, node
from povmon.pipeline.cluster import ClusterWorkers
from povmon.pipeline.workers import Event, FunctionJob

distributed = pytest.importorskip("distributed", reason="the package distributed is not installed")


class Future:
    def __init__(self) -> None:
        self.tell: Callable[[Any], None] = print
        self.outcome: Event | BaseException | None = None

    def add_done_callback(self, tell: Callable[[Any], None]) -> None:
        self.tell = tell

    def end(self, outcome: Event | BaseException) -> None:
        self.outcome = outcome
        self.tell(self)

    def result(self) -> Any:
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


class Client:
    """As much of `distributed.Client` as is used."""

    def __init__(self, threads: dict[str, int], answers: dict[str, Any] | None = None) -> None:
        self.threads = threads
        self.answers = answers or {}
        self.sent: list[tuple[node.Order, dict[str, Any]]] = []
        self.futures: list[Future] = []
        self.cancelled: list[Future] = []
        self.closed = False
        self.hear: Callable[[Any], None] = print

    def nthreads(self) -> dict[str, int]:
        return self.threads

    def run(self, *_: Any, **__: Any) -> dict[str, Any]:
        return self.answers

    def subscribe_topic(self, topic: str, hear: Callable[[Any], None]) -> None:
        self.hear = hear

    def submit(self, _: Any, order: node.Order, **options: Any) -> Future:
        self.sent.append((order, options))
        self.futures.append(Future())
        return self.futures[-1]

    def cancel(self, futures: list[Future], force: bool) -> None:
        self.cancelled += futures

    def close(self, timeout: float) -> None:
        self.closed = True


def job(task: str) -> FunctionJob:
    return FunctionJob(task, "pool", {"survey": "nowhere"})


def started(client: Client, count: int = 0) -> ClusterWorkers:
    return ClusterWorkers(count, {}, address="tcp://127.0.0.1:1", client=lambda *_: client)


@pytest.fixture(autouse=True)
def quick(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "PATIENCE", 0.2)
    monkeypatch.setattr(node, "GRACE", 0.0)
    monkeypatch.setattr(node, "description", lambda folder: {"Python": "3"})


def test_as_many_jobs_as_threads_each_where_there_is_room() -> None:
    client = Client({"a": 1, "b": 2})
    workers = started(client)
    for number in range(3):
        assert workers.free == 3 - number
        workers.start(job(f"{number}"))
    assert workers.free == 0
    assert sorted(options["workers"][0] for _, options in client.sent) == ["a", "b", "b"]
    order, options = client.sent[0]
    assert pickle.loads(order.job) == job("0")
    assert options["allow_other_workers"] and options["retries"] == 0 and not options["pure"]


def test_jobs_may_be_fewer_than_threads() -> None:
    workers = started(Client({"a": 9}), count=2)
    assert workers.free == 2


def test_events_arrive_and_what_comes_late_is_dropped() -> None:
    client = Client({"a": 1})
    workers = started(client)
    workers.start(job("one"))
    client.hear((0.0, ("one", "cell 3")))
    assert workers.wait(0) == [Event("one", "cell", "cell 3")]
    client.futures[0].end(Event("one", "made", written=(Path("x"),)))
    client.hear((0.0, ("one", "cell 4")))
    assert workers.wait(0) == [Event("one", "made", written=(Path("x"),))]
    assert workers.wait(0) == [] and workers.free == 1


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Event("one", "failed", "no such column."), "no such column."),
        (distributed.KilledWorker("one", None, 4), "each worker that was given it died"),
        (CancelledError(), "the Dask scheduler has dropped it or is gone"),
        (OSError("no route"), "the Dask scheduler has dropped it or is gone"),
        (ZeroDivisionError("by zero"), "ZeroDivisionError on the cluster: by zero."),
    ],
)
def test_a_job_that_fails_is_told_once_and_not_sent_again(
    outcome: Event | BaseException, text: str
) -> None:
    client = Client({"a": 1})
    workers = started(client)
    workers.start(job("one"))
    client.futures[0].end(outcome)
    (event,) = workers.wait(0)
    assert (event.task, event.kind) == ("one", "failed") and text in event.text
    assert len(client.sent) == 1 and workers.wait(0) == []


def test_a_closed_client_fails_what_is_started() -> None:
    client = Client({"a": 1})
    workers = started(client)
    client.submit = lambda *_, **__: (_ for _ in ()).throw(RuntimeError("closed"))  # type: ignore
    workers.start(job("one"))
    (event,) = workers.wait(0)
    assert event.kind == "failed" and "scheduler" in event.text


def test_without_workers_for_long_everything_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client({"a": 2})
    workers = started(client)
    workers.start(job("one"))
    client.threads = {}
    workers._looked = 0.0
    assert workers.wait(0) == [], "a worker may come back"
    monkeypatch.setattr(cluster, "LOST_SECONDS", 0.0)
    (event,) = workers.wait(0)
    assert event.kind == "failed" and "no worker" in event.text
    assert workers.free == 1, "the engine must be able to go on"


def test_stopping_takes_every_job_back(root: Path) -> None:
    client = Client({"a": 2})
    workers = started(client)
    for task in ("east/audit", "west/audit"):
        workers.start(job(task))
    marks = [node._claimed(order) for order, _ in client.sent]
    assert all(node._held(o, str(m)) for (o, _), m in zip(client.sent, marks, strict=True))
    workers.stop()
    assert not any(node._held(o, str(m)) for (o, _), m in zip(client.sent, marks, strict=True))
    assert client.cancelled == client.futures and client.closed
    assert not list((root / "data/processed/.state/cluster").iterdir())
    assert node._claimed(client.sent[0][0]) is None, "a job that comes late does not begin"


def test_a_task_belongs_to_the_worker_that_claimed_it_last(tmp_path: Path) -> None:
    (tmp_path / node.TOKEN).write_text("x")
    order = node.Order("east/audit", tmp_path, {}, {})
    first = node._claimed(order)
    assert first and node._held(order, first)
    second = node._claimed(order)
    assert second and node._held(order, second) and not node._held(order, first)


def test_a_scheduler_without_workers() -> None:
    client = Client({})
    with pytest.raises(PovmonError, match="SCHEDULER: the Dask scheduler has no workers; start"):
        started(client)
    assert client.closed


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (["Python is 3.12 there and 3.11 here"], "is not like this machine: Python is 3.12 there"),
        (ModuleNotFoundError("No module named 'povmon'"), "cannot run povmon"),
    ],
)
def test_a_worker_that_is_not_like_this_machine(answer: Any, text: str) -> None:
    with pytest.raises(PovmonError, match=re.escape(text)):
        started(Client({"a": 1, "b": 1}, {"a": [], "b": answer}))


def test_what_differs_is_named_and_more_packages_do_not_matter() -> None:
    here = {"Python": "3.11.2", "the package numpy": "2.3", "the package pandas": "3.0"}
    there = {"Python": "3.11.2", "the package numpy": "2.1", "the package other": "1"}
    assert node.differences(here, there) == [
        "the package numpy is 2.1 there and 2.3 here",
        "the package pandas is missing there and 3.0 here",
    ]


@pytest.mark.parametrize(
    "text", ["tcp://127.0.0.1:8786", "tls://node-1.cluster:1", "tcp://[::1]:9"]
)
def test_an_address(text: str) -> None:
    assert cluster.checked_address(text) == text


@pytest.mark.parametrize(
    "text",
    ["127.0.0.1:8786", "tcp://host", "tcp://host:0", "tcp://host:99999", "tcp://a b:1", "inproc://x",
     "tcp://$(touch x):1", "tcp://host:1\n", "file:///etc/passwd", "tcp://host:1/../.."],
)  # fmt: skip
def test_no_address(text: str) -> None:
    with pytest.raises(PovmonError, match="SCHEDULER: .* is no address of a Dask scheduler"):
        cluster.checked_address(text)


def test_a_scheduler_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "CONNECT_SECONDS", 0.5)
    begun = time.monotonic()
    with pytest.raises(
        PovmonError, match=r"SCHEDULER: no Dask scheduler answers at 'tcp://127.0.0.1"
    ):
        ClusterWorkers(1, {}, address="tcp://127.0.0.1:1")
    assert time.monotonic() - begun < 60


# A real cluster


@pytest.fixture
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with two_workers(tmp_path_factory.mktemp("cluster")) as made:
        yield made


def small_survey(root: Path) -> None:
    """A survey of two areas with few pages."""
    path = copy_survey("vlss1998", root) / "survey.yml"
    text = path.read_text("utf-8")
    assert "\nproducts: [audit, indicators, summary, atlas]\n" in text
    path.write_text(re.sub(r"\nproducts: .*\n", "\nproducts: [audit]\n", text), "utf-8")


@contextmanager
def run_on(cluster: Cluster, root: Path) -> Iterator[subprocess.Popen[str]]:
    command = ["run", "--survey", "vlss1998", "--scheduler", cluster.address()]
    run = subprocess.Popen(
        [sys.executable, "-m", "povmon.pipeline", *command],
        cwd=PROJECT, env={**os.environ, "POVMON_ROOT": str(root)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed_signals,
    )  # fmt: skip
    try:
        yield run
    finally:
        run.kill()
        run.wait()


def claimed(root: Path, task: str, seconds: float = 600) -> int:
    """The process of the Dask worker that has a task, once one has it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for path in root.glob(f"data/processed/.state/cluster/*/{task}.claim"):
            words = path.read_text("utf-8").split()
            if len(words) == 3:
                return int(words[1])
        time.sleep(0.1)
    raise AssertionError(f"{task} was not begun")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_a_worker_killed_on_the_way_changes_no_byte(two: Cluster, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    small_survey(here)
    small_survey(there)
    with run_on(two, there) as run:
        victim = claimed(there, "rural-audit")
        end = time.monotonic() + 600
        while len(processes_of(there)) < 4 and time.monotonic() < end:
            time.sleep(0.1)  # driver, job process, fork server, worker: it is well on its way
        os.kill(victim, signal.SIGKILL)
        output, errors = run.communicate(timeout=1800)
    assert run.returncode == 0, output + errors
    assert sum(p.poll() == -signal.SIGKILL for p in two.processes) == 1
    assert "rural/audit made" in output
    done = povmon(here, "run", "--survey", "vlss1998")
    assert done.returncode == 0, done.stderr
    assert len(bytes_of(here)) > 20
    assert bytes_of(there) == bytes_of(here)
    assert not list(there.rglob("*.tmp")) and not list(there.rglob("*.claim"))
    # The records fit what lies there, so that nothing is made again on one machine.
    assert "0 made" in povmon(there, "run", "--survey", "vlss1998").stdout


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_the_jobs_end_with_the_run(two: Cluster, tmp_path: Path, how: signal.Signals) -> None:
    root = tmp_path / "root"  # not that of the environment, which the Dask workers have too
    small_survey(root)
    with run_on(two, root) as run:
        claimed(root, "rural-audit")
        run.send_signal(how)
        output, errors = run.communicate(timeout=600)
    assert "Traceback" not in output + errors
    if how == signal.SIGINT:
        assert run.returncode == 130 and "Stopped." in output
    end = time.monotonic() + 300
    while processes_of(root) and time.monotonic() < end:
        time.sleep(0.2)
    assert processes_of(root) == []
    assert all(p.poll() is None for p in two.processes), "the cluster itself goes on"
