"""Who may import whom. The table is the architecture (docs/architecture.md says why)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

FLOOR_0 = {"core.errors", "core.taxonomy", "core.config", "core.files", "core.one_thread", "core.workspace"}
FLOOR_1 = {"core.dataset", "core.evaluation", "core.storage"}
MAY_IMPORT = {
    "core.errors": set(),
    "core.files": set(),
    "core.one_thread": set(),
    "core.workspace": set(),
    "core.taxonomy": {"core.errors"},
    "core.config": {"core.errors"},
    "core.dataset": FLOOR_0,
    "core.evaluation": FLOOR_0,
    "core.storage": FLOOR_0,
    "core.training": FLOOR_0 | FLOOR_1,
    "core.curation": FLOOR_0 | FLOOR_1 | {"core.people"},
    "core.jobs": FLOOR_0 | FLOOR_1,
    "core.people": FLOOR_0 | FLOOR_1,
    "core.submission": FLOOR_0 | FLOOR_1 | {"core.curation", "core.people"},
    "core.service": FLOOR_0 | FLOOR_1 | {"core.curation", "core.jobs", "core.submission"},
    "core.cli": FLOOR_0
    | FLOOR_1
    | {"core.curation", "core.jobs", "core.people", "core.submission", "core.service", "core.training"},
    "core.__main__": {"core.cli"},
}
WEB_MAY_IMPORT = set(MAY_IMPORT) - {"core.training", "core.cli", "core.__main__"}
ONLY_IN = {
    "streamlit": ("app.py", "pages/", "ui/"),
    "torch": ("core/training/",),
    "torchvision": ("core/training/",),
    "timm": ("core/training/",),
    "sqlite3": ("core/storage/", "core/jobs/"),
    "openTSNE": ("core/evaluation/projection.py",),
    "pickle": (),
    "core.training": ("core/training/", "core/cli/training.py", "core/cli/people.py"),
}
MAX_LINES = {"pages/": 150, "": 300}
MAX_FUNCTION_LINES = 60
DRAWINGS = "core/dataset/demo/"
"""Drawings are long lists of shapes, read from top to bottom; splitting them would not help."""

BANNED_NAMES = ("utils.py", "helpers.py", "manager.py", "misc.py", "common.py")

SOURCES = [ROOT / "app.py"]
for _folder in ("core", "pages", "ui"):
    SOURCES += sorted((ROOT / _folder).rglob("*.py"))


def _imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def _names(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=_names)
def test_imports_point_down_only(path):
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    room = ".".join(parts[:2])
    allowed = MAY_IMPORT.get(room, set()) | {room} if parts[0] == "core" else WEB_MAY_IMPORT
    for module in _imports(path):
        if module.startswith("core.") and _room(module) in MAY_IMPORT:
            assert _room(module) in allowed, f"{_names(path)} imports {module}"
        if parts[0] == "core":
            assert module.split(".")[0] not in ("ui", "pages", "app"), f"{_names(path)} imports {module}"


@pytest.mark.parametrize("path", SOURCES, ids=_names)
def test_each_library_stays_in_its_room(path):
    for module in _imports(path):
        for library, rooms in ONLY_IN.items():
            if module == library or module.startswith(f"{library}."):
                assert _names(path).startswith(rooms), f"{_names(path)} imports {module}"


@pytest.mark.parametrize("path", SOURCES, ids=_names)
def test_files_and_functions_stay_short_enough_to_read(path):
    source = path.read_text(encoding="utf-8")
    limit = next(lines for prefix, lines in MAX_LINES.items() if _names(path).startswith(prefix))
    limit = 600 if _names(path).startswith(DRAWINGS) else limit
    assert source.count("\n") <= limit, f"{_names(path)} has {source.count(chr(10))} lines; split it by meaning"
    assert path.name not in BANNED_NAMES
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and not _names(path).startswith(DRAWINGS):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= MAX_FUNCTION_LINES, f"{_names(path)}: {node.name} has {length} lines"


def test_every_room_of_core_is_in_the_table():
    rooms = {f"core.{path.stem}" for path in (ROOT / "core").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert rooms - {"core.__init__", "core.__pycache__"} == set(MAY_IMPORT)


def test_nothing_that_the_web_process_imports_brings_torch():
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in SOURCES
        if not _names(path).startswith(("core/training/", "core/cli/", "core/__main__", "pages/", "ui/main"))
    ]
    code = (
        "import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module(name.removesuffix('.__init__'))\n"
        "heavy = {'torch', 'torchvision', 'timm', 'sklearn', 'openTSNE'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
