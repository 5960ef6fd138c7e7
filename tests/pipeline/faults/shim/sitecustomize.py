"""Strikes a process of a run at one of its places; loaded by every Python through PYTHONPATH.

An audit hook sees each file that a process opens for writing, renames, removes, each folder it
makes, each process it starts, before that happens. There it can note the place
(``POVMON_FAULT_LOG``) or do harm (``POVMON_FAULT``): nothing in the project knows of it.
"""

import errno
import fnmatch
import importlib.util
import json
import os
import re
import resource
import signal
import sys

TEMPLATE = "warmkernel.template"
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
# Event -> which of its arguments holds the path.
EVENTS = {
    "open": 0,
    "os.rename": 1,
    "os.remove": 0,
    "os.mkdir": 0,
    "os.rmdir": 0,
    "os.utime": 0,
    "os.link": 1,
    "fcntl.flock": 0,
    "subprocess.Popen": 0,
    "os.fork": -1,
}
# What a full disk refuses, and what a read-only one refuses as well.
GROWING = ("open", "os.mkdir", "os.link")
CHANGING = (*GROWING, "os.rename", "os.remove", "os.rmdir", "os.utime")


def _base_role():
    """What this process is, from its command line."""
    words = " ".join(sys.orig_argv)
    for mark, role in (
        ("povmon.pipeline.worker", "worker"),
        ("faults/mini.py", "driver"),
        ("-m povmon.pipeline", "driver"),
        ("resource_tracker", "tracker"),
        ("warmkernel", "template"),
        ("ipykernel_launcher", "kernel"),
    ):
        if mark in words:
            return role
    return "other"


BASE, BORN = _base_role(), os.getpid()


def role():
    """What this process is now: what is forked from a template gets another command line."""
    return BASE if os.getpid() == BORN else _base_role()


class MiniSteps:
    """Lets a worker find the steps of the mini survey among those of the pipeline."""

    folder = os.path.join(os.path.dirname(os.path.dirname(__file__)), "steps")

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        """Import protocol: the module's specification, or None where it is not one of ours."""
        package, _, module = name.rpartition(".")
        if package != "povmon.pipeline.steps" or not module.startswith("mini_"):
            return None
        return importlib.util.spec_from_file_location(name, f"{cls.folder}/{module}.py")


class Shim:
    """Notes places or strikes at one of them."""

    def __init__(self, fault, log):
        self.fault, self.log = fault, log
        self.counts = {}
        self.busy = False
        self.roots = [(os.environ["POVMON_ROOT"], "root"), (os.environ["POVMON_FAULT_TMP"], "tmp")]

    def place(self, event, arguments):
        """Name of the file of an event, the same in each run; empty where it does not matter."""
        if event == "os.fork":
            return "process/fork"
        value = arguments[EVENTS[event]]
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & WRITING):
            return ""
        if event == "subprocess.Popen":
            words = arguments[1] if isinstance(arguments[1], (list, tuple)) else [value]
            for mark, name in (("ipykernel_launcher", "ipykernel"), (TEMPLATE, "template")):
                if mark in words:
                    return f"process/{name}"
            return f"process/{words[0]}"
        if event == "fcntl.flock":
            return "lock"
        if not isinstance(value, (str, bytes, os.PathLike)):
            return ""
        path = os.path.abspath(os.fsdecode(value))
        for folder, name in self.roots:
            if path.startswith(folder):
                return plain(name + path[len(folder) :])
        return ""

    def __call__(self, event, arguments):
        if event not in EVENTS or self.busy:
            return
        self.busy = True
        try:
            place = self.place(event, arguments)
            if place:
                self.at(event, place)
        finally:
            self.busy = False

    def at(self, event, place):
        """A process has come to a place."""
        key = (os.getpid(), event, place)
        self.counts[key] = self.counts.get(key, 0) + 1
        if self.log:
            line = json.dumps([role(), event, place, self.counts[key]]) + "\n"
            handle = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            os.write(handle, line.encode())
            os.close(handle)
        if self.fault:
            self.consider(event, place, self.counts[key])

    def consider(self, event, place, count):
        """Strike where the fault says; a full or read-only disk stays so, for all processes."""
        fault = self.fault
        kind = fault["kind"]
        if kind in ("full", "readonly") and os.path.exists(fault["mark"]):
            self.refuse(event, place)
        here = fault["role"] == role() and fault["event"] == event
        if here and count == fault["nth"] and fnmatch.fnmatch(place, fault["place"]):
            try:
                os.close(os.open(fault["mark"], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            except FileExistsError:
                return  # it has struck already
            self.strike(kind, event, place)

    def refuse(self, event, place):
        """The disk under the root says no, and goes on saying so."""
        full = self.fault["kind"] == "full"
        if place.startswith("root") and event in (GROWING if full else CHANGING):
            code = errno.ENOSPC if full else errno.EROFS
            raise OSError(code, os.strerror(code), place)

    def strike(self, kind, event, place):
        """Do it."""
        if kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif kind in ("torn", "short"):  # the next write stops after some bytes
            if kind == "torn":  # ... and the process dies in it
                signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))
        elif kind in ("full", "readonly"):
            self.refuse(event, place)
        else:  # the name of a signal, for the driver
            with open(self.fault["driver"], encoding="ascii") as stream:
                os.kill(int(stream.read()), getattr(signal, kind))


def plain(name):
    """A path without what differs from run to run: process ids and random parts."""
    name = re.sub(r"\b\d{3,7}\b(?=[.-])", "<pid>", name)
    name = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<uuid>", name)
    name = re.sub(r"(writing-|pymp-|listener-|povmon-)\w+", r"\1<random>", name)
    return name


def install():
    """Watch this process, where a test has asked for it."""
    global __file__
    if BASE == "template":
        __file__ = None  # it loads no file but those of installed packages
    if BASE in ("template", "worker", "kernel"):
        # nbformat's validator would build a parser of addresses for more than a second.
        sys.modules["rfc3987_syntax"] = None
    if BASE in ("template", "worker"):
        sys.meta_path.append(MiniSteps)
    fault, log = os.environ.get("POVMON_FAULT"), os.environ.get("POVMON_FAULT_LOG")
    if (fault or log) and BASE in ("driver", "template", "worker", "kernel"):
        sys.addaudithook(Shim(json.loads(fault) if fault else None, log))


install()
