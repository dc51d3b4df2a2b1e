"""Looking at many photos."""

import subprocess
import sys
from pathlib import Path

from core.dataset.scan import inspect_photos, photo_facts


def test_many_photos_are_inspected_without_running_the_main_script_again(demo_dir, tmp_path):
    script = tmp_path / "page.py"  # as Streamlit runs a page: no guard around what it does
    script.write_text(
        "import core.dataset.scan as scan\n"
        "from pathlib import Path\n"
        "scan._FEW = 1\n"
        f"root = Path({str(demo_dir)!r})\n"
        "paths = [file.path for file in scan.find_files(root, 'eval/images')]\n"
        "print(len(scan.inspect_photos(root, paths)))\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, env={"PYTHONPATH": str(Path.cwd())}
    )
    assert (done.stdout, done.stderr) == (f"{len(list((demo_dir / 'eval/images').iterdir()))}\n", "")


def test_workers_give_every_photo_its_own_facts(demo_dir, monkeypatch):
    monkeypatch.setattr("core.dataset.scan._FEW", 1)
    names = sorted(f"eval/images/{path.name}" for path in (demo_dir / "eval/images").glob("[!.]*"))
    facts = inspect_photos(demo_dir, names)
    assert facts == {name: photo_facts(demo_dir / name) for name in names}
