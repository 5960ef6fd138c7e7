"""The template process: loads packages, then forks processes on request.

``python -m warmkernel.template FD PID`` is started by `warmkernel.client.Template`: FD is its end
of a socket pair, PID its owner. It has one thread, runs no code of a notebook, and ends with its
owner: the socket's end of file tells it, also when the owner was killed.
"""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
import select
import signal
import site
import socket
import sys
import sysconfig
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from warmkernel import child, wire

LOOK = 1000  # milliseconds between two looks at whether the owner is still there
PATIENCE = 30  # seconds for the rest of a message whose beginning has come


class Refused(Exception):
    """The template cannot do what was asked; the text goes to the one who asked."""


@dataclass
class _Kid:
    """A forked process: it belongs to the channel that asked for it, and dies with that."""

    channel: int
    code: int | None = None


def threads() -> int:
    """Threads of this process, those that Python does not know of included."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()


def preload(names: Sequence[str], without: Sequence[str], owner: int) -> None:
    """Import modules that every child shall have; some others count as not installed.

    A name may be that of a function, ``module:function``, which is called: what loads the rest of
    a module that would load it in every child.

    Raises
    ------
    Refused : one cannot be imported, comes from outside of the installed packages (a child would
        not see it edited), or starts a thread (which no child would have).
    """
    gc.disable()  # nothing of what is imported goes away
    sys.modules.update(dict.fromkeys(without))  # type: ignore[arg-type]  # None: ImportError
    for name in names:
        if os.getppid() != owner:
            sys.exit(0)
        try:
            if ":" in name:
                pkgutil.resolve_name(name)()
            else:
                importlib.import_module(name)
        except Exception as error:  # a package may fail in any way when it is imported
            raise Refused(f"{name} cannot be preloaded: {type(error).__name__}: {error}") from error
        if threads() > 1:
            raise Refused(f"{name} starts a thread when it is loaded: do not preload it")
    own = _outsiders()
    if own:
        raise Refused(
            f"{own[0]} is no installed package: a restarted kernel would not see it edited"
        )
    gc.collect()
    gc.freeze()  # the children's collector leaves these pages alone, so they stay shared


def _outsiders() -> list[str]:
    """Modules from outside of the standard library and the installed packages."""
    kinds = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = [sysconfig.get_path(k) for k in kinds] + [*site.getsitepackages()]
    folders += [os.path.realpath(f) for f in [*folders, site.getusersitepackages()]]
    inside = tuple(f.rstrip(os.sep) + os.sep for f in folders)
    found = []
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        own = module is sys.modules["__main__"] or name.partition(".")[0] == __package__
        if file and not own and not os.path.realpath(file).startswith(inside):
            found.append(name)
    return found


class Server:
    """Answers requests, one at a time, from the owner and from those the owner lets in."""

    def __init__(self, owner: socket.socket, pid: int) -> None:
        self._owner = owner
        self._pid = pid
        self._channels = {owner.fileno(): owner}
        self._kids: dict[int, _Kid] = {}
        self._retired = False
        self._wake, self._waker = os.pipe()
        for end in (self._wake, self._waker):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only to be woken
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the owner's business
        signal.signal(signal.SIGTERM, lambda *_: self.end())
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)

    def serve(self) -> child.Command | None:
        """Serve until there is nobody left to serve; in a forked child, what it is to run."""
        while self._owner.fileno() in self._channels and os.getppid() == self._pid:
            if self._retired and not any(k.code is None for k in self._kids.values()):
                break
            for number in self._ready():
                command = self._answer(number)
                if command:
                    return command
            self._reap()
        self.end()
        return None

    def end(self) -> None:
        """Kill all children and end."""
        for pid, kid in self._kids.items():
            if kid.code is None:
                self._signal(pid, signal.SIGKILL)
        for pid, kid in self._kids.items():
            if kid.code is None:
                os.waitpid(pid, 0)  # the owner finds nothing left
        os._exit(0)

    def _ready(self) -> list[int]:
        poll = select.poll()
        for number in (*self._channels, self._wake):
            poll.register(number, select.POLLIN)
        ready = [number for number, _ in poll.poll(LOOK)]
        if self._wake in ready:
            ready.remove(self._wake)
            with suppress(BlockingIOError):
                os.read(self._wake, 4096)
        return ready

    def _answer(self, number: int) -> child.Command | None:
        """Do one request; returns the command in the child that a request has made."""
        channel = self._channels[number]
        try:
            message, files = wire.receive(channel)
        except (EOFError, OSError, ValueError):
            self._drop(number)
            return None
        reply: dict[str, Any] = {}
        passed: list[int] = []
        try:
            if message["do"] == "start":
                command = self._start(message, files, number)
                if isinstance(command, child.Command):
                    return command
                reply = {"pid": command}
            elif message["do"] == "channel":
                passed = [self._admit()]
            else:
                reply = self._small(message, number)
        except (Refused, OSError) as error:
            reply = {"error": str(error)}
        for file in files:
            os.close(file)
        try:
            wire.send(channel, reply, passed)
        except OSError:
            self._drop(number)
        for file in passed:
            os.close(file)
        return None

    def _small(self, message: dict[str, Any], number: int) -> dict[str, Any]:
        """Requests about a child, and the one to take no more."""
        self._reap()
        if message["do"] == "hello":
            return {"pid": os.getpid()}
        if message["do"] == "retire":
            self._retired = True
            return {}
        kid = self._kids.get(message["pid"])
        if kid is None or kid.channel != number:
            raise Refused(f"{message['pid']} is no child of this channel")
        if kid.code is not None:
            del self._kids[message["pid"]]  # the channel has been told
        elif message["do"] == "signal":
            self._signal(message["pid"], message["signal"])
        return {"code": kid.code}

    def _start(self, message: dict[str, Any], files: list[int], number: int) -> int | child.Command:
        """Fork: the child's pid here, the command there."""
        if threads() > 1:
            raise Refused("the template has more than one thread")
        if not os.path.isdir(message["cwd"]):
            raise Refused(f"the working directory {message['cwd']} does not exist")
        template = os.getpid()
        # A signal for the template must not find its handlers in the child.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGCHLD))
        try:
            pid = os.fork()
            if not pid:
                signal.set_wakeup_fd(-1)
                child.settle(template, files, [*self._channels, self._wake, self._waker])
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if pid:
            self._kids[pid] = _Kid(number)
            return pid
        return child.Command(message["argv"], message["env"], message["cwd"])

    def _admit(self) -> int:
        """One end of a new channel; the other is ours."""
        ours, theirs = socket.socketpair()
        ours.settimeout(PATIENCE)
        self._channels[ours.fileno()] = ours
        return theirs.detach()

    def _drop(self, number: int) -> None:
        """A channel is closed: what it had started is killed."""
        self._channels.pop(number).close()
        for pid, kid in list(self._kids.items()):
            if kid.channel == number:
                if kid.code is None:
                    self._signal(pid, signal.SIGKILL)
                    kid.channel = -1
                else:
                    del self._kids[pid]

    def _signal(self, pid: int, number: int) -> None:
        """Signal a child that was not reaped: its pid cannot be another's."""
        try:
            os.killpg(pid, number)
        except ProcessLookupError:  # it has not made its group yet
            os.kill(pid, number)
        except PermissionError:
            return  # it has ended and waits to be reaped

    def _reap(self) -> None:
        for pid, kid in list(self._kids.items()):
            if kid.code is not None:
                continue
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                kid.code = os.waitstatus_to_exitcode(status)
                if kid.channel not in self._channels:
                    del self._kids[pid]


def main() -> None:
    """Load, tell the owner, serve; in a forked child, become what was asked for."""
    if not sys.flags.safe_path:
        del sys.path[0]  # the working directory, which `python -m` puts there
    owner = socket.socket(fileno=int(sys.argv[1]))
    server = Server(owner, int(sys.argv[2]))
    try:
        settings, _ = wire.receive(owner)
        preload(settings["preload"], settings["without"], int(sys.argv[2]))
    except EOFError:
        return
    except Refused as error:
        wire.send(owner, {"error": str(error)})
        return
    wire.send(owner, {"ready": True})
    owner.settimeout(PATIENCE)
    command = server.serve()
    if command:
        del server, owner
        child.run(command)


if __name__ == "__main__":
    main()
