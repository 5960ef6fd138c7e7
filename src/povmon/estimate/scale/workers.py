"""The same function over all chunks: in threads of this process, or on a Dask cluster."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console
from rich.progress import Progress

from povmon.cores import cores
from povmon.errors import PovmonError
from povmon.estimate.scale.chunks import Chunk

ADDRESS = "DASK_SCHEDULER_ADDRESS"
# How often a chunk is given out again after the worker that had it, or its data, was lost.
TRIES = 5
CONNECT_SECONDS = 10

Work = Callable[[Chunk, Any], Any]


class Workers(Protocol):
    """What runs a function over chunks."""

    def results(self, work: Work, chunks: Sequence[Chunk], shared: Any) -> Iterator[Any]:
        """``work(chunk, shared)`` of each chunk, in their order whoever made them."""


class Threads:
    """Threads of this process, as many as it may use cores."""

    def results(self, work: Work, chunks: Sequence[Chunk], shared: Any) -> Iterator[Any]:
        """As in `Workers`; a chunk or two ahead of what has been taken."""
        number = cores()
        with ThreadPoolExecutor(number) as pool:
            waiting: deque[Any] = deque()
            try:
                for chunk in chunks:
                    waiting.append(pool.submit(work, chunk, shared))
                    if len(waiting) > number:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()


class Cluster:
    """A Dask cluster whose workers see the same files and have povmon installed."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def results(self, work: Work, chunks: Sequence[Chunk], shared: Any) -> Iterator[Any]:
        """As in `Workers`. Dask gives the chunks of a worker that dies to the others."""
        ahead = 2 * max(sum(self.client.ncores().values()), 1)
        given = self._share(shared)
        waiting: deque[tuple[Chunk, Any]] = deque()
        left = deque(chunks)
        while left or waiting:
            while left and len(waiting) < ahead:
                chunk = left.popleft()
                waiting.append((chunk, self._submit(work, chunk, given)))
            chunk, future = waiting.popleft()
            for again in range(TRIES):
                try:
                    result = future.result()
                    break
                except self._losses() as loss:
                    if again == TRIES - 1:
                        raise PovmonError(
                            f"the workers that had this chunk were lost {TRIES} times ({loss!r})",
                            where=str(chunk),
                            todo="look at the workers' logs: they may have too little memory",
                        ) from loss
                    given = self._share(shared)
                    future = self._submit(work, chunk, given)
            yield result

    def _share(self, shared: Any) -> Any:
        # A copy on each worker, so that the death of one does not lose it.
        return self.client.scatter(shared, broadcast=True, hash=False)

    def _submit(self, work: Work, chunk: Chunk, given: Any) -> Any:
        return self.client.submit(work, chunk, given, pure=False)

    @staticmethod
    def _losses() -> tuple[type[BaseException], ...]:
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        return KilledWorker, FutureCancelledError


def connect(address: str, variable: str) -> Any:
    """A client of the Dask scheduler at an address.

    Parameters
    ----------
    address : such as ``tcp://scheduler:8786``.
    variable : the variable that named it, for messages.

    Raises
    ------
    PovmonError : the package distributed is missing, or no scheduler answers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise PovmonError(
            f"{variable} is set, but the package distributed is not installed",
            todo="install it (the group `cluster` of pyproject.toml), or unset the variable",
        ) from error
    try:
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise PovmonError(
            f"no Dask scheduler answers at {address!r}",
            where=variable, todo="start it, correct the address, or unset the variable",
        ) from error  # fmt: skip


@contextmanager
def workers() -> Iterator[Workers]:
    """A Dask cluster where the environment names its scheduler, else threads of this process.

    Raises
    ------
    PovmonError : the package distributed is missing, or no scheduler answers.
    """
    address = os.environ.get(ADDRESS)
    if not address:
        yield Threads()
        return
    client = connect(address, ADDRESS)
    try:
        yield Cluster(client)
    finally:
        client.close()


def followed(results: Iterator[Any], title: str, total: int) -> Iterator[Any]:
    """The same results, with a progress bar where somebody can see it."""
    console = Console(stderr=True)
    shown = console.is_terminal or console.is_jupyter
    with Progress(console=console, transient=True, disable=not shown) as progress:
        bar = progress.add_task(title, total=total)
        for result in results:
            yield result
            progress.advance(bar)
