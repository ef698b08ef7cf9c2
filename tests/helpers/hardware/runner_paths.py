"""Runners of cocotb that find the benches and this package."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[3]


def with_paths(kind):
    """Return a kind of runner whose simulator finds `helpers` and the packages."""

    class Runner(kind):
        def _set_env_test(self):
            super()._set_env_test()
            paths = [str(ROOT), str(ROOT / "tests"), self.env["PYTHONPATH"]]
            self.env["PYTHONPATH"] = os.pathsep.join(paths)

    return Runner
