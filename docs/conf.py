"""The site: Sphinx, MyST for what is written, sphinx-gallery for what is run.

    .venv/bin/pip install -e '.[docs]'
    .venv/bin/sphinx-build -W --keep-going -n docs docs/_build

No page needs the network. What follows from the parsers, the catalogue and recorded results is
written anew into docs/made by each build.
"""

import logging
import os
import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
GALLERY = ("delta", "operators", "training", "hardware")
sys.path.insert(0, str(HERE / "_ext"))
sys.path.insert(0, str(HERE.parent))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
logging.getLogger("fontTools").setLevel(logging.WARNING)

import made  # noqa: E402
from pictures import FileScraper  # noqa: E402

from lnsarith.host.version import __version__  # noqa: E402

project = "lnsarith"
copyright = "2026 the lnsarith authors"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton",
              "mathml", "sphinx_gallery.gen_gallery"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "attrs_inline"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "_ext", "_parts", "made/form-*", "**/work", "sg_execution_times.rst",
                    "**/sg_execution_times.rst",
                    "**/README.rst"]
templates_path = []
html_math_renderer = "mathml"
html_theme = "furo"
html_title = f"lnsarith {version}"
html_static_path = ["_static"]
html_css_files = ["own.css"]
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1a5f96", "color-brand-content": "#1a5f96"},
    "dark_css_variables": {"color-brand-primary": "#7fb8e6", "color-brand-content": "#7fb8e6"},
}
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
suppress_warnings = ["config.cache"]
smartquotes_action = "qe"  # two hyphens begin an option
nitpicky = False


def clean(gallery, script):
    """Give each script an empty folder work beside it."""
    for folder in (HERE / "tutorials", *(HERE / "gallery" / room for room in GALLERY)):
        work = folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True, exist_ok=True)


sphinx_gallery_conf = {
    "examples_dirs": [str(HERE / "tutorials"), str(HERE / "gallery")],
    "gallery_dirs": ["made/tutorials", "made/gallery"],
    "filename_pattern": r"/(t\d|g\d)",
    "image_scrapers": (FileScraper(),),
    "reset_modules": (clean,),
    "reset_modules_order": "before",
    "subsection_order": [f"gallery/{room}" for room in GALLERY],
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_memory": False,
    "min_reported_time": 1,
    "abort_on_example_error": True,
    "remove_config_comments": True,
    "show_signature": False,
    "plot_gallery": os.environ.get("LNSARITH_DOCS_RUN", "1") != "0",
    "notebook_images": False,
}


def plain(app, what, name, thing, options, lines):
    """Read docstrings as this project writes them: `code`, and |x| for a magnitude."""
    for i in range(len(lines) - 2, 0, -1):  # what is indented behind a blank line is code
        if not lines[i] and lines[i + 1].startswith("    ") and not lines[i - 1].startswith(" "):
            lines[i:i + 1] = ["", "::", ""]
    code = False
    for i, line in enumerate(lines):
        code = line == "::" or (code and (not line or line.startswith("    ")))
        if code:
            continue
        line = re.sub(r"(?<!`)`(?!`)([^`]*)`(?!`)(?!_)", r"``\1``", line)
        line = re.sub(r"(``[^`]+``)(?=\w)", r"\1 ", line)
        parts = re.split(r"(``.*?``)", line)
        lines[i] = "".join(p if p.startswith("``") else re.sub(r"[|*]", r"\\\g<0>", p)
                           for p in parts)


def setup(app):
    made.write(HERE / "made")
    app.connect("autodoc-process-docstring", plain)
