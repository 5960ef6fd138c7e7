"""Random numbers: every seed has a name in one place, and nothing is drawn without one."""

from __future__ import annotations

import ast
import json
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

import pytest

from povmon import seeds
from povmon.pipeline.closure import closure
from povmon.pipeline.files import Hashes

PROJECT = Path(__file__).parents[1]
NOTEBOOKS = sorted((PROJECT / "notebooks").rglob("*.ipynb"))
# What numpy.random has that draws nothing by itself, or has to be given a seed.
SEEDED = {"default_rng", "Generator", "PCG64", "SeedSequence"}
# Methods that draw from a hidden state of their package, unless they are told otherwise.
HIDDEN = {"sample": "random_state", "rvs": "random_state", "stripplot": "seed", "barplot": "seed"}
# What may be drawn without one: a key that must not be guessed, and names that no result holds.
FREE = {
    "povmon/privacy.py": {"secrets", "tempfile"},
    "povmon/placing.py": {"os.urandom"},
    "povmon/pipeline/cluster.py": {"os.urandom"},
    "povmon/pipeline/node.py": {"os.urandom"},
    "povmon/pipeline/runlog.py": {"os.urandom"},
    "warmkernel/child.py": {"random"},
}


@cache
def sources() -> dict[str, ast.Module]:
    """Modules by their file below src."""
    files = sorted((PROJECT / "src").rglob("*.py"))
    named = {p.relative_to(PROJECT / "src").as_posix(): p for p in files}
    return {name: ast.parse(path.read_text("utf-8")) for name, path in named.items()}


def code_of(notebook: Path) -> ast.Module:
    """The Python of a notebook's cells."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    texts = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    lines = "\n".join(texts).split("\n")
    return ast.parse("\n".join("pass" if line.startswith(("%", "!")) else line for line in lines))


def problems(tree: ast.Module, free: Collection[str] = ()) -> list[str]:
    """What a source draws without a seed."""
    return [p for node in ast.walk(tree) for p in _of_node(node) if p not in free]


def _of_node(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from ({a.name for a in node.names} & {"random", "secrets", "uuid"})
    elif isinstance(node, ast.ImportFrom):
        yield from ({node.module or ""} & {"random", "secrets", "uuid", "numpy.random"})
    elif isinstance(node, ast.Attribute):
        yield from _of_attribute(node)
    elif isinstance(node, ast.Call):
        yield from _of_call(node)


def _of_attribute(node: ast.Attribute) -> Iterator[str]:
    below = ast.unparse(node.value)
    if below in ("np.random", "numpy.random") and node.attr not in SEEDED:
        yield f"{below}.{node.attr}"
    if ast.unparse(node) == "os.urandom":
        yield "os.urandom"


def _of_call(node: ast.Call) -> Iterator[str]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    given = {k.arg for k in node.keywords}
    if name in HIDDEN and HIDDEN[name] not in given and (node.args or given):
        yield f"{name} without {HIDDEN[name]}"
    if name in SEEDED - {"Generator"}:
        seed = [*node.args, *(k.value for k in node.keywords)]
        words = {w.lower() for part in seed for w in _names(part)}
        if not seed or not any("seed" in w or w == "names" for w in words):
            yield f"{name} without a named seed"


def _names(node: ast.AST) -> list[str]:
    names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
    return names + [n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)]


@pytest.mark.parametrize(
    "text",
    [
        "import random",
        "from random import choice",
        "import uuid",
        "np.random.seed(1)",
        "np.random.normal(size=3)",
        "np.random.default_rng()",
        "np.random.default_rng(7)",
        "frame.sample(n=3)",
        "stats.norm.rvs(3)",
        "os.urandom(8)",
    ],
)
def test_the_check_finds_what_is_drawn_without_a_seed(text: str) -> None:
    assert problems(ast.parse(text))


@pytest.mark.parametrize(
    "text",
    ["np.random.default_rng([seed, 3])", "np.random.default_rng(self.seed)", "rng.normal(size=3)",
     "frame.sample(n=3, random_state=seed)"],
)  # fmt: skip
def test_the_check_lets_pass_what_has_one(text: str) -> None:
    assert not problems(ast.parse(text))


def test_nothing_in_the_package_is_drawn_without_a_seed() -> None:
    found = {name: problems(tree, FREE.get(name, ())) for name, tree in sources().items()}
    assert not {name: wrong for name, wrong in found.items() if wrong}


def test_nothing_in_a_notebook_is_drawn_without_a_seed() -> None:
    assert NOTEBOOKS
    found = {path.name: problems(code_of(path)) for path in NOTEBOOKS}
    assert not {name: wrong for name, wrong in found.items() if wrong}


def test_no_seed_has_its_number_elsewhere() -> None:
    found = [
        f"{name}: {ast.unparse(node)}"
        for name, tree in sources().items()
        if name != "povmon/seeds.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        if any("SEED" in n for target in node.targets for n in _names(target))
    ]
    assert not found


def test_a_stage_names_the_seeds_of_the_modules_it_imports() -> None:
    for seed in seeds.SEEDS:
        assert seed.module in closure([seed.module], Hashes()), f"{seed.module} is gone"
    modules = {"povmon.audit.impute", "povmon.estimate.curves.bands"}
    assert seeds.used(modules, 7) == {
        "donors of imputed answers": 7,
        "simultaneous bands of curves": seeds.BANDS,
    }
    assert seeds.used(modules, None)["donors of imputed answers"] == 0
    assert len({s.purpose for s in seeds.SEEDS}) == len(seeds.SEEDS)


def test_every_module_that_begins_a_stream_is_named_or_is_given_its_seed() -> None:
    """A module with a seed of its own is in the list; all others get theirs as an argument."""
    own = {
        name.removesuffix(".py").replace("/", ".")
        for name, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "povmon.seeds"
    }
    named = {s.module for s in seeds.SEEDS}
    assert own <= named
    assert named - own == {"povmon.synthetic.generate"}, "its seed is required in survey.yml"
