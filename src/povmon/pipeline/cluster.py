"""A run's jobs on a Dask cluster, with the same face as the worker processes of one machine.

What happens on the cluster's machines is in `povmon.pipeline.node`. `docs/cluster.md` says what is
assumed of the cluster, and what the death of a machine leaves.
"""

from __future__ import annotations

import logging
import os
import pickle
import queue
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from typing import Any

from povmon import paths
from povmon.errors import PovmonError
from povmon.estimate.scale.workers import ADDRESS, connect
from povmon.pipeline import node
from povmon.pipeline.facts import state_folder
from povmon.pipeline.files import write_atomically
from povmon.pipeline.workers import Event, Job

VARIABLE = "SCHEDULER"
LOST_SECONDS = 300.0  # how long a run waits for a worker when there is none left
SHOWN = 3  # differences of a machine that are named
_ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*):([0-9]{1,5})")


def checked_address(text: str) -> str:
    """The address of a scheduler, if it is one.

    Raises
    ------
    PovmonError : it is none.
    """
    found = _ADDRESS.fullmatch(text)
    if not found or not 1 <= int(found[3]) <= 65535:
        raise PovmonError(
            f"{text!r} is no address of a Dask scheduler",
            where=VARIABLE,
            todo="give it as tcp://host:port or tls://host:port",
        )
    return text


def cluster_workers(address: str) -> Callable[[int, dict[str, str], int | None], ClusterWorkers]:
    """What makes the workers of a run on the cluster at an address (see `Run`)."""
    return partial(ClusterWorkers, address=checked_address(address))


class ClusterWorkers:
    """Sends jobs to the workers of a Dask cluster.

    Parameters
    ----------
    count : jobs at once; 0 for as many as the cluster has threads.
    environment : as `povmon.pipeline.workers.Workers` takes it. Each machine makes its own, since
        sockets and profiles lie in a folder of its own; only the root is taken from it.
    address : of the scheduler.
    client : makes a client from the address and the name of its variable.

    Raises
    ------
    PovmonError : no scheduler answers, it has no workers, or a worker differs from this machine.
    """

    def __init__(
        self,
        count: int,
        environment: dict[str, str],
        lock: int | None = None,  # its processes are on other machines: see `povmon.pipeline.node`
        *,
        address: str,
        client: Callable[[str, str], Any] = connect,
    ) -> None:
        # What Dask logs of lost workers is told by this run in its own words.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        self._count = count
        self._name = os.urandom(6).hex()
        self._topic = f"povmon-{self._name}"
        self._environment = {
            "POVMON_ROOT": str(paths.root()),
            ADDRESS: address,
            # Arrow would print a warning into notebooks about tables that came over the network.
            "ACERO_ALIGNMENT_HANDLING": "reallocate",
        }
        self._running: dict[str, tuple[Any, str]] = {}
        self._news: queue.Queue[tuple[str, str]] = queue.Queue()
        self._started = 0
        self._seen: dict[str, int] = {}
        self._looked = self._alive = float("-inf")
        self._client = client(address, VARIABLE)
        self._folder = state_folder() / "cluster" / self._name
        try:
            self._open()
        except BaseException:
            self.stop()
            raise

    def _open(self) -> None:
        # Runs in a root wait for one another, so what is there belongs to runs that were killed.
        shutil.rmtree(self._folder.parent, ignore_errors=True)
        write_atomically(self._folder / node.TOKEN, self._name)
        self._expected = node.description(self._folder)
        if not self._threads():
            raise PovmonError(
                "the Dask scheduler has no workers", where=VARIABLE, todo="start some, then make"
            )
        order = node.Order("", self._folder, self._environment, self._expected)
        answers = self._client.run(node.probe, order, on_error="return")
        for worker, answer in answers.items():
            if answer:
                raise _unlike(worker, answer)
        self._client.subscribe_topic(self._topic, self._heard)

    def _heard(self, event: Any) -> None:
        task, text = event[1]
        self._news.put((task, text))

    def _threads(self) -> dict[str, int]:
        """Threads by worker, looked up once a second at most."""
        now = time.monotonic()
        if now - self._looked > 1:
            self._looked = now
            try:
                self._seen = dict(self._client.nthreads())
            except (OSError, RuntimeError, TimeoutError):
                self._seen = {}  # the scheduler is gone, or does not answer
        if self._seen:
            self._alive = now
        return self._seen

    @property
    def free(self) -> int:
        """How many more jobs can start now; one at least when none runs."""
        most = self._count or sum(self._threads().values())
        return max(most - len(self._running), 0 if self._running else 1)

    def start(self, job: Job) -> None:
        """Send a job to the worker that has the fewest for its threads."""
        self._started += 1
        order = node.Order(
            job.task, self._folder, self._environment, self._expected,
            pickle.dumps(job), self._topic,
        )  # fmt: skip
        worker = self._idlest()
        try:
            future = self._client.submit(
                node.run,
                order,
                key=f"{self._topic}-{self._started}",
                pure=False,
                retries=0,
                workers=[worker] if worker else None,
                allow_other_workers=bool(worker),
            )
        except (OSError, RuntimeError) as error:  # it is closed, or no longer connected
            future = _Unsent(error)
        self._running[job.task] = (future, worker)
        # An empty text: the job has ended.
        future.add_done_callback(lambda _: self._news.put((job.task, "")))

    def _idlest(self) -> str:
        """The worker with the most free threads; empty where there is none."""
        threads = self._threads()
        busy = Counter(worker for _, worker in self._running.values())
        return max(sorted(threads), key=lambda w: threads[w] - busy[w], default="")

    def wait(self, seconds: float) -> list[Event]:
        """Events that arrive within some seconds; a job whose workers died is told as failed."""
        events = []
        with suppress(queue.Empty):
            news = self._news.get(timeout=seconds)
            while True:
                events += self._event(*news)
                news = self._news.get_nowait()
        return events or self._stranded()

    def _event(self, task: str, text: str) -> list[Event]:
        if task not in self._running:
            return []
        if text:
            return [Event(task, "cell", text)]
        future, _ = self._running.pop(task)
        return [_outcome(task, future)]

    def _stranded(self) -> list[Event]:
        """All jobs as failed when there has been no worker for long."""
        if self._threads() or time.monotonic() - self._alive < LOST_SECONDS:
            return []
        tasks, self._running = list(self._running), {}
        text = f"the cluster has had no worker for {LOST_SECONDS:.0f} seconds. Run make again."
        return [Event(task, "failed", text) for task in tasks]

    def stop(self) -> None:
        """Take all jobs back: their processes end within seconds. Then leave the cluster."""
        for task in self._running:
            node.claim_of(self._folder, task).unlink(missing_ok=True)
        (self._folder / node.TOKEN).unlink(missing_ok=True)  # who has not begun does not begin
        end = time.monotonic() + node.PATIENCE
        while self._running and time.monotonic() < end:
            self.wait(0.1)
        with suppress(OSError, RuntimeError, TimeoutError):
            self._client.cancel([future for future, _ in self._running.values()], force=True)
        with suppress(OSError, RuntimeError, TimeoutError):
            self._client.close(timeout=node.PATIENCE)
        self._running = {}
        shutil.rmtree(self._folder, ignore_errors=True)


class _Unsent:
    """Stands for a job that could not be sent."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def add_done_callback(self, tell: Callable[[Any], None]) -> None:
        tell(self)

    def result(self) -> Event:
        raise self.error


def _outcome(task: str, future: Any) -> Event:
    """A job's last event; what became of it where it has none."""
    from distributed import KilledWorker

    try:
        event: Event = future.result()
    except KilledWorker:
        text = (
            "each worker that was given it died, perhaps because memory ran out; the workers' "
            "logs tell. Run make again."
        )
    except (CancelledError, OSError, TimeoutError, RuntimeError):
        text = "the Dask scheduler has dropped it or is gone. Run make again when it is there."
    except Exception as error:  # noqa: BLE001  (whatever a worker raised: the text says it all)
        text = f"{type(error).__name__} on the cluster: {str(error).strip()[:300]}."
    else:
        return event
    return Event(task, "failed", text)


def _unlike(worker: str, answer: Any) -> PovmonError:
    """The error for a worker on which the same jobs could give something else."""
    if isinstance(answer, BaseException):
        what = f"cannot run povmon ({type(answer).__name__}: {str(answer)[:200]})"
    else:
        more = f", and {len(answer) - SHOWN} more" if len(answer) > SHOWN else ""
        what = f"is not like this machine: {'; '.join(answer[:SHOWN])}{more}"
    return PovmonError(
        f"the worker {worker} {what}",
        where=VARIABLE,
        todo="start the workers from the same checkout and environment, on a shared file system",
    )
