"""The places at which a run of the mini survey is struck.

To add points (another role, say): name the role in `shim/sitecustomize.py`, run
``python -m pytest tests/pipeline/faults -k places``, which tells the places that no point covers,
and add lines here.
"""

from __future__ import annotations

from pipeline.faults.harness import Point

STATE = "root/data/processed/.state"
BEFORE, TASKS = f"{STATE}/mini/before", f"{STATE}/mini/tasks"
TABLES, PAGES = "root/data/processed/mini/rural", "root/reports/mini"
EXECUTED = "root/data/processed/mini/notebooks/rural"
PRIVATE = "tmp/povmon-*"
LOG = "root/data/processed/mini/run-log.jsonl"
FAIL = 'raise RuntimeError("late")'

# Kinds of harm -> (role, event, place, number of the coming, from nothing?).
_KILL = [
    ("driver", "open", f"{STATE}/lock", 1, True),
    ("driver", "fcntl.flock", "lock", 1, True),
    ("driver", "open", f"{STATE}/mini/.facts.json.*.tmp", 1, True),
    ("driver", "os.rename", f"{STATE}/mini/facts.json", 1, True),
    ("driver", "os.mkdir", f"{BEFORE}/rural/audit", 1, False),
    ("driver", "open", f"{BEFORE}/rural/audit/1", 1, False),
    ("driver", "os.utime", f"{BEFORE}/rural/audit/1", 1, False),
    ("driver", "open", f"{BEFORE}/rural/audit/.files.json.*.tmp", 1, False),
    ("driver", "os.rename", f"{BEFORE}/rural/audit/files.json", 1, False),
    ("driver", "os.mkdir", PRIVATE, 1, True),
    ("driver", "os.mkdir", f"{PRIVATE}/runtime", 1, False),
    ("driver", "os.mkdir", f"{TASKS}/rural", 1, True),
    ("driver", "open", f"{TASKS}/rural/.audit.json.*.tmp", 1, False),
    ("driver", "os.rename", f"{TASKS}/rural/audit.json", 1, False),
    ("driver", "os.rename", f"{TASKS}/rural/audit.json", 1, True),
    ("driver", "os.remove", f"{BEFORE}/rural/audit/files.json", 2, False),
    ("driver", "os.remove", f"{BEFORE}/rural/audit/files.json", 2, True),
    ("driver", "os.rmdir", f"{BEFORE}/rural/audit", 1, False),
    ("driver", "subprocess.Popen", "process/git", 1, False),
    ("driver", "open", LOG, 1, False),
    ("driver", "os.rename", f"{BEFORE}/rural/returns/files.json", 1, False),
    ("driver", "os.rename", f"{TASKS}/rural/returns.json", 1, False),
    ("driver", "open", LOG, 2, True),
    ("driver", "os.rename", f"{BEFORE}/index/files.json", 1, False),
    ("driver", "os.rename", f"{TASKS}/index.json", 1, False),
    ("driver", "open", f"{STATE}/.hashes.json.*.tmp", 1, False),
    ("driver", "os.rename", f"{STATE}/hashes.json", 1, True),
    ("driver", "os.rmdir", PRIVATE, 1, False),
    ("driver", "subprocess.Popen", "process/template", 1, False),
    ("template", "os.fork", "process/fork", 1, False),
    ("worker", "os.remove", f"{PRIVATE}/runtime/*", 1, False),
    ("worker", "open", f"{EXECUTED}/.audit.ipynb.*.tmp", 1, False),
    ("worker", "os.rename", f"{EXECUTED}/audit.ipynb", 1, False),
    ("worker", "open", f"{PAGES}/rural/.audit.html.*.tmp", 1, False),
    ("worker", "os.rename", f"{PAGES}/rural/audit.html", 1, False),
    ("worker", "os.rename", f"{PAGES}/rural/audit.html", 1, True),
    ("worker", "os.remove", "root/reports/failed/mini/rural/audit.ipynb", 1, False),
    ("worker", "open", f"{PAGES}/rural/returns/.second.html.*.tmp", 1, False),
    ("worker", "os.rename", f"{PAGES}/rural/returns/first.html", 1, False),
    ("worker", "os.rename", f"{PAGES}/rural/returns/second.html", 1, False),
    ("worker", "os.rename", f"{PAGES}/index.html", 1, False),
    ("worker", "os.rename", "root/data/processed/.memo/fonts/*", 1, True),
    ("kernel", "open", f"{TABLES}/.one.parquet.*.tmp", 1, False),
    ("kernel", "os.rename", f"{TABLES}/one.parquet", 1, True),
    ("kernel", "os.rename", f"{TABLES}/two.parquet", 1, False),
]
_TORN = [
    ("driver", "open", f"{STATE}/mini/.facts.json.*.tmp", 1, True),
    ("driver", "open", f"{BEFORE}/rural/audit/0", 1, False),
    ("driver", "open", f"{BEFORE}/rural/audit/.files.json.*.tmp", 1, False),
    ("driver", "open", f"{TASKS}/rural/.audit.json.*.tmp", 1, False),
    ("driver", "open", f"{STATE}/.hashes.json.*.tmp", 1, False),
    ("worker", "open", f"{EXECUTED}/.audit.ipynb.*.tmp", 1, False),
    ("worker", "open", f"{PAGES}/rural/.audit.html.*.tmp", 1, False),
    ("worker", "open", f"{PAGES}/rural/returns/.first.html.*.tmp", 1, False),
    ("worker", "open", "root/data/processed/.memo/fonts/.*.tmp", 1, True),
    ("kernel", "open", f"{TABLES}/.two.parquet.*.tmp", 1, False),
]
_SHORT = [
    ("driver", "open", LOG, 1, False),
    ("driver", "open", f"{BEFORE}/rural/audit/0", 1, False),
    ("driver", "open", f"{TASKS}/rural/.audit.json.*.tmp", 1, False),
    ("worker", "open", f"{PAGES}/rural/.audit.html.*.tmp", 1, False),
    ("kernel", "open", f"{TABLES}/.two.parquet.*.tmp", 1, False),
]
_FULL = [
    ("driver", "open", f"{STATE}/mini/.facts.json.*.tmp", 1, True),
    ("driver", "open", f"{BEFORE}/rural/audit/1", 1, False),
    ("driver", "open", f"{TASKS}/rural/.audit.json.*.tmp", 1, False),
    ("driver", "open", LOG, 1, False),
    ("driver", "open", f"{STATE}/.hashes.json.*.tmp", 1, False),
    ("worker", "open", f"{EXECUTED}/.audit.ipynb.*.tmp", 1, False),
    ("worker", "open", f"{PAGES}/rural/.audit.html.*.tmp", 1, True),
    ("worker", "open", f"{PAGES}/rural/returns/.second.html.*.tmp", 1, False),
    ("kernel", "open", f"{TABLES}/.two.parquet.*.tmp", 1, False),
]
_READONLY = [
    ("driver", "open", f"{STATE}/lock", 1, True),
    ("driver", "os.rename", f"{TASKS}/rural/audit.json", 1, False),
    ("worker", "os.rename", f"{PAGES}/rural/audit.html", 1, False),
    ("kernel", "os.rename", f"{TABLES}/two.parquet", 1, False),
]
_SIGNALS = [
    ("driver", "os.rename", f"{BEFORE}/rural/audit/files.json", 1, False),
    ("driver", "os.rename", f"{TASKS}/rural/audit.json", 1, False),
    ("driver", "os.rename", f"{STATE}/hashes.json", 1, False),
    ("worker", "os.rename", f"{PAGES}/rural/audit.html", 1, False),
    ("template", "os.fork", "process/fork", 1, True),
    ("kernel", "os.rename", f"{TABLES}/two.parquet", 1, False),
]
# The last cell fails: the driver puts the earlier tables back, and is struck while it does.
_RESTORING = [
    ("driver", "os.rename", f"{TABLES}/one.parquet"),
    ("driver", "os.rename", f"{TABLES}/two.parquet"),
    ("driver", "os.rename", f"{PAGES}/rural/audit.html"),
]


def _points() -> list[Point]:
    plain = {
        "kill": _KILL, "torn": _TORN, "short": _SHORT, "full": _FULL, "readonly": _READONLY
    }  # fmt: skip
    found = [
        Point(role, event, place, kind, nth, fresh)
        for kind, rows in plain.items()
        for role, event, place, nth, fresh in rows
    ]
    for number, (role, event, place, nth, fresh) in enumerate(_SIGNALS):
        name = ("SIGINT", "SIGTERM", "SIGHUP")[number % 3]
        found.append(Point(role, event, place, name, nth, fresh))
    found += [Point(*place, "kill", late=FAIL) for place in _RESTORING]
    found += [Point(*_RESTORING[1], kind, late=FAIL) for kind in ("SIGINT", "readonly")]
    aside = "root/reports/failed/mini/rural/.audit.ipynb.*.tmp"
    found.append(Point("worker", "open", aside, "kill", late=FAIL))
    return found


POINTS = _points()
# Some of each kind and role, for `make test`.
QUICK = [
    p
    for p in POINTS
    if (p.role, p.kind, p.place) == ("driver", "kill", f"{TASKS}/rural/audit.json") and not p.fresh
]
