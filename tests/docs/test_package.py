"""What is installed has every file of the packages: programs, skeletons, sources of the labs."""

import shutil
import subprocess
import sys

from helpers.front_door import ROOT

PACKAGES = ("fxp", "lnsarith", "nets", "verilog")


def test_what_is_built_holds_every_file_of_the_packages(tmp_path):
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tmp_path / name,
                        ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("pyproject.toml", "setup.cfg", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / name)
    files = {path.relative_to(tmp_path).as_posix() for name in PACKAGES
             for path in (tmp_path / name).rglob("*") if path.is_file()}
    subprocess.run([sys.executable, "-c", "import setuptools; setuptools.setup()", "-q", "build_py",
                    "--build-lib", "built"], cwd=tmp_path, check=True, capture_output=True)
    built = {path.relative_to(tmp_path / "built").as_posix()
             for path in (tmp_path / "built").rglob("*") if path.is_file()}
    assert len(files) > 400 and files - built == set()
