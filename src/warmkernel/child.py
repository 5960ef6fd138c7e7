"""What a forked child does before it runs its module: nothing of the template's may show."""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import random
import runpy
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15
_LIBC: Any = ctypes.CDLL(None) if sys.platform == "linux" else None


class Command(NamedTuple):
    """``python -m module arguments``: `argv` begins with the module's name."""

    argv: list[str]
    env: dict[str, str]
    cwd: str


def settle(template: int, files: Sequence[int], inherited: Sequence[int]) -> None:
    """Leave the template: own session, default signals, own standard files.

    Parameters
    ----------
    template : pid of the template; the child ends with it.
    files : what becomes standard input, output and error.
    inherited : the template's own descriptors, closed here.
    """
    os.setsid()
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != template:
            os._exit(1)  # it ended before the system was told
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for target, file in enumerate(files):
        os.dup2(file, target)
    for number in {*files, *inherited}:
        if number > 2:
            os.close(number)


def run(command: Command) -> None:
    """Take on the environment asked for, and run the module as ``python -m`` does."""
    os.environ.clear()
    os.environ.update(command.env)
    time.tzset()
    os.chdir(command.cwd)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=stream is sys.stderr or stream.isatty())  # type: ignore[union-attr]
    module = command.argv[0]
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_NAME, module.encode())  # what ps and top show; cut to 15 bytes
    sys.argv = list(command.argv)
    if not sys.flags.safe_path:
        sys.path.insert(0, command.cwd)
    sys.orig_argv = [sys.executable, "-m", *command.argv]
    importlib.invalidate_caches()
    _reseed()
    _choose_backend()
    gc.enable()
    with suppress(KeyError):
        del sys.modules["warmkernel.template"]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _reseed() -> None:
    """Two children must not draw the same numbers."""
    random.seed()
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


def _choose_backend() -> None:
    """Matplotlib asks for its backend when it is imported: here it was imported before."""
    if "matplotlib" in sys.modules:
        wanted = os.environ.get("MPLBACKEND") or "module://matplotlib_inline.backend_inline"
        if os.environ.get("MPLBACKEND") or "ipykernel" in sys.modules:
            sys.modules["matplotlib"].rcParams["backend"] = wanted
