"""Pictures that commands wrote while a script of the gallery was run."""

import shutil
from pathlib import Path

from sphinx_gallery.scrapers import figure_rst

SUFFIXES = (".png",)


class FileScraper:
    """Puts every new image file in the script's folder work on its page, by name."""

    def __init__(self):
        self.seen = {}

    def __repr__(self):  # which sphinx-gallery keeps between builds
        return "FileScraper"

    def __call__(self, block, block_vars, gallery_conf):
        script = block_vars["src_file"]
        seen = self.seen.setdefault(script, set())
        paths = block_vars["image_path_iterator"]
        found = []
        for path in sorted((Path(script).parent / "work").rglob("*")):
            key = (str(path), path.stat().st_mtime_ns)
            if path.suffix in SUFFIXES and key not in seen:
                seen.add(key)
                target = next(paths)
                shutil.copy(path, target)
                found.append(target)
        return figure_rst(found, gallery_conf["src_dir"])
