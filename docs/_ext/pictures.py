"""Pictures and tables that commands wrote while a script of the gallery was run."""

import os
import shutil
from pathlib import Path

PICTURE, TABLE = ".png", ".csv"


class FileScraper:
    """Puts every new image of the script's folder work on its page, by name, as a link to its
    full size, and below it the numbers it shows."""

    def __init__(self):
        self.seen = set()

    def __repr__(self):  # which sphinx-gallery keeps between builds
        return "FileScraper"

    def __call__(self, block, block_vars, gallery_conf):
        work, source = Path(block_vars["src_file"]).parent / "work", gallery_conf["src_dir"]
        target, lines = None, []
        for path in self._new(work, PICTURE):
            target = next(block_vars["image_path_iterator"])
            shutil.copy(path, target)
            lines += [f".. image:: {_inside(target, source)}", f"   :alt: {path.stem}",
                      "   :width: 100%", "   :class: sphx-glr-single-img", ""]
        for path in self._new(work, TABLE):
            if target is None:
                continue  # a table that the script reads itself
            beside = Path(target).with_suffix(TABLE)
            shutil.copy(path, beside)
            lines += [f"Its numbers: :download:`{path.name} <{_inside(beside, source)}>`", ""]
        return "\n".join(lines)

    def _new(self, work: Path, suffix: str) -> list[Path]:
        """Return the files of a suffix that are there for the first time."""
        found = []
        for path in sorted(work.rglob(f"*{suffix}")):
            key = (str(path), path.stat().st_mtime_ns)
            if key not in self.seen:
                self.seen.add(key)
                found.append(path)
        return found


def _inside(path, source) -> str:
    """Return a file as a page names it: from the root of the sources."""
    return "/" + os.path.relpath(path, source).replace(os.sep, "/")
