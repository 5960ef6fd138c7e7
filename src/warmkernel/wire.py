"""Messages between a template and its clients: JSON with a length, and open files beside it."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from typing import Any

_LENGTH = 4
_MOST_FILES = 3


def send(channel: socket.socket, message: dict[str, Any], files: Sequence[int] = ()) -> None:
    """Send a message, and copies of open files (descriptors) with it."""
    body = json.dumps(message).encode("ascii")
    head = len(body).to_bytes(_LENGTH, "big")
    if files:
        socket.send_fds(channel, [head], files)
        channel.sendall(body)
    else:
        channel.sendall(head + body)


def receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next message, and the files that came with it (the receiver closes them).

    Raises
    ------
    EOFError : the other side has closed the channel or has ended.
    """
    first, files, _, _ = socket.recv_fds(channel, _LENGTH, _MOST_FILES)
    if not first:
        raise EOFError("the channel is closed")
    head = first + _exactly(channel, _LENGTH - len(first))
    return json.loads(_exactly(channel, int.from_bytes(head, "big"))), list(files)


def _exactly(channel: socket.socket, size: int) -> bytes:
    parts = []
    while size:
        part = channel.recv(min(size, 65536))
        if not part:
            raise EOFError("the channel was closed within a message")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
