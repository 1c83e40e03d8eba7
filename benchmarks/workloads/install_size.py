"""Installs the package into a new virtual environment, and looks at what came along."""

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

_LIST = """
import json, sysconfig
from importlib.metadata import distributions
print(json.dumps([sysconfig.get_path("purelib"), sorted({each.name for each in distributions()})]))
"""
_ROOT = Path(__file__).parents[2]


def installed(python: Path) -> tuple[Path, set[str]]:
    listed = json.loads(subprocess.check_output([python, "-c", _LIST], text=True))
    return Path(listed[0]), set(listed[1])


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder, "bin", "python")
        packages, before = installed(python)
        size_before = size(packages)
        subprocess.run([python, "-m", "pip", "install", "--quiet", _ROOT], check=True, stdout=sys.stderr)
        _, after = installed(python)
        print(json.dumps({"packages": len(after - before), "size_mb": (size(packages) - size_before) / 1e6}))


main()
