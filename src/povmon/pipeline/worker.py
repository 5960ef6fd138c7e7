"""A worker process, ``python -m povmon.pipeline.worker``: its channel is its standard input."""

from __future__ import annotations

import importlib
import os
import select
import signal
import sys
import threading
import traceback
from contextlib import suppress
from multiprocessing import reduction
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from povmon.errors import PovmonError
from povmon.pipeline import sandbox
from povmon.pipeline.notebook import NotebookFailed, NotebookJob, run_notebook
from povmon.pipeline.workers import Event, Job


def work(job: Job, send: Any) -> Event:
    """Run a job; every failure becomes an event whose text a user can read."""
    sandbox.guard()
    try:
        if isinstance(job, NotebookJob):
            written = run_notebook(job, lambda text: send(Event(job.task, "cell", text)))
        else:
            module = importlib.import_module(f"povmon.pipeline.steps.{job.function}")
            written = module.run(**job.parameters)
    except (PovmonError, NotebookFailed) as error:
        return Event(job.task, "failed", str(error))
    except OSError as error:
        name = Path(str(error.filename)).name if error.filename else "a file"
        return Event(job.task, "failed", f"{name}: {error.strerror or error}.")
    except Exception as error:  # noqa: BLE001  (a worker must answer, and the text says it all)
        if os.environ.get("POVMON_DEBUG"):
            traceback.print_exc()
        return Event(job.task, "failed", _unexpected(error))
    return Event(job.task, "made", written=tuple(written))


def _unexpected(error: Exception) -> str:
    """An error that nobody foresaw: its type, text and the place in our own source."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "povmon" in f.filename] or frames
    place = f"{Path(ours[-1].filename).name}, line {ours[-1].lineno}" if ours else "unknown place"
    text = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {text[0]} ({place}). POVMON_DEBUG=1 shows the traceback."


def serve(channel: Connection) -> None:
    """A job in, events out, until the channel closes.

    Before the first job comes word whether a template of kernels can be had, and the way to it.
    """
    threading.Thread(target=_end_with, args=(channel.fileno(),), daemon=True).start()
    if channel.recv():
        from povmon.pipeline.kernel import use_template

        use_template(reduction.recv_handle(channel))
    with suppress(EOFError, ConnectionError):  # the driver has ended, or wants no answer any more
        while True:
            channel.send(work(channel.recv(), channel.send))


def _end_with(channel: int) -> None:
    """End when the driver closes its side or dies, also in the middle of a job."""
    hang_up = select.poll()
    hang_up.register(channel, 0)  # nothing but a hang-up
    hang_up.poll()
    _stop()


def _stop(*_: Any) -> None:
    """End at once, and the kernel with us."""
    if "povmon.pipeline.kernel" in sys.modules:
        sys.modules["povmon.pipeline.kernel"].kill_kernels()
    os._exit(143)


def main() -> None:
    """Take the channel and serve."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides
    signal.signal(signal.SIGTERM, _stop)
    channel = Connection(os.dup(0))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    serve(channel)


if __name__ == "__main__":
    main()
