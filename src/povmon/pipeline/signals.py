"""Ctrl-C, SIGTERM and a closed terminal end a run in the same orderly way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_ENDING = (signal.SIGTERM, signal.SIGHUP)


class Stopped(KeyboardInterrupt):
    """A signal other than Ctrl-C has asked this process to end.

    Parameters
    ----------
    number : the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def _stop(number: int, _: Any) -> None:
    raise Stopped(number)


@contextmanager
def _handled(numbers: tuple[signal.Signals, ...], handler: Callable[..., None] | int) -> Iterator:
    """Another handler for a while; a signal that is ignored (nohup) stays ignored."""
    main = threading.current_thread() is threading.main_thread()
    own = [n for n in numbers if main and signal.getsignal(n) is not signal.SIG_IGN]
    before = {n: signal.signal(n, handler) for n in own}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def stoppable() -> Any:
    """While it lasts, SIGTERM and SIGHUP raise `Stopped`, as Ctrl-C raises KeyboardInterrupt."""
    return _handled(_ENDING, _stop)


def undisturbed() -> Any:
    """While it lasts, none of these signals does anything: for what takes a moment only."""
    return _handled((signal.SIGINT, *_ENDING), signal.SIG_IGN)


def ending() -> None:
    """Ctrl-C has been heard and this process is about to end: pressing it again does nothing."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
