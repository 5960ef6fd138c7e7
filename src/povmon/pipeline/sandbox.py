"""No network for notebooks and steps, beyond this machine's loopback; see `docs/safety.md`.

Two layers. `isolate` gives a run a network of its own that has a loopback and nothing else: Linux
enforces it for all code and every process that the run starts, but not every system allows it.
`guard` refuses addresses in Python's own socket functions, on every system; it is meant against
mistakes, since code in C, or another program, does not pass through it. Where a Dask scheduler is
named, there is no network of its own, and the guard lets its address through as well.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import re
import socket
import struct
import sys
from functools import cache
from pathlib import Path
from typing import Any

from povmon.errors import PovmonError

ADDRESS = "DASK_SCHEDULER_ADDRESS"
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000  # linux/sched.h
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1  # linux/sockios.h, linux/if.h
_STARTUP = """\
# Runs before the first cell; it leaves no name behind.
__import__("povmon.pipeline.sandbox", fromlist=["guard"]).guard()
"""
_ADDRESSED = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind"})
# Which argument of a look-up holds the host.
_LOOKED_UP = frozenset(
    {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"}
)
_SCHEDULER = re.compile(r"[a-z]+://\[?([^\]/]+)\]?:([0-9]+)")


def isolate() -> bool:
    """Leave the machine's network for one that is only a loopback; True where that is allowed.

    It holds for this process and all that it starts from now on, and cannot be undone. Sockets
    in the file system work as before. The process must not have started a thread.
    """
    if sys.platform != "linux":
        return False
    # Half of it done would be worse than nothing, so another process tries it first.
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _leave()
            code = 0
        finally:
            os._exit(code)
    if os.waitpid(child, 0)[1] != 0:
        return False
    _leave()
    return True


def _leave() -> None:
    """Go to a network of this process's own. OSError: the system does not allow it."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_NEW_NETWORK) != 0:
        # In a user namespace root loses its right to the files of others; others have none.
        if user == 0 or libc.unshare(_NEW_USER | _NEW_NETWORK) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _raise_loopback()


def _raise_loopback() -> None:
    """Bring up the loopback of a new network, which begins down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(any_socket, _GET_FLAGS, asked), 16)
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", flags | _UP))


def write_startup(profiles: Path) -> None:
    """Have every kernel with this folder of IPython profiles guarded before its first cell."""
    folder = profiles / "profile_default" / "startup"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "00-network.py").write_text(_STARTUP, encoding="utf-8")


@cache  # a hook stays for good, so there must be one only
def guard() -> None:
    """Refuse every address but loopback, and the Dask scheduler's, in this process from now on."""
    allowed = _scheduler(os.environ.get(ADDRESS, ""))

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _ADDRESSED:
            _check(arguments[0], arguments[1], allowed)
        elif event in _LOOKED_UP:
            host = arguments[0]
            _check_host(host[0] if isinstance(host, tuple) else host, allowed)

    sys.addaudithook(hook)


def _scheduler(address: str) -> frozenset[tuple[str, int]]:
    """Host and port of a scheduler, by its name and by each of its numbers."""
    found = _SCHEDULER.fullmatch(address)
    if not found:
        return frozenset()
    host, port = found[1], int(found[2])
    try:
        known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        known = []  # who connects to it will be told
    return frozenset({(host, port), *((str(k[4][0]), port) for k in known)})


def _check(sock: Any, address: Any, allowed: frozenset[tuple[str, int]]) -> None:
    """Raise unless a socket may send to, or listen at, an address."""
    if sock.family == getattr(socket, "AF_UNIX", None) or address is None:
        return
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        host, port = str(address[0]), address[1]
        if _loopback(host) or (host, port) in allowed:
            return
        raise _refused(f"{host or 'every address'}, port {port}")
    raise _refused(f"{address!r}")


def _check_host(host: Any, allowed: frozenset[tuple[str, int]]) -> None:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name and not _loopback(name) and name not in {known for known, _ in allowed}:
        raise _refused(str(name))


def _loopback(host: str) -> bool:
    import ipaddress  # here, because a run with nothing to do must be quick

    if host == "localhost":
        return True
    try:
        number = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(number, "ipv4_mapped", None)
    return bool((mapped or number).is_loopback)


def _refused(where: str) -> PovmonError:
    return PovmonError(
        f"notebooks and steps may not use the network, and this one tried to reach {where}",
        todo="put what it needs into data/raw; loopback is allowed",
    )
