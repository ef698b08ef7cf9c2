"""What follows the links of the built site sees those that lead nowhere."""

import importlib.util

import pytest
from helpers.front_door import ROOT


@pytest.fixture(scope="module")
def links():
    spec = importlib.util.spec_from_file_location("links", ROOT / ".ci" / "links.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_files_and_anchors_that_are_not_there_are_told(tmp_path, links):
    (tmp_path / "sub").mkdir()
    (tmp_path / "index.html").write_text(
        '<p id="top"><a href="sub/">s</a><a href="#top">t</a><a href="sub/index.html#a%20b">u</a>'
        '<a href="https://example.org/x">o</a><img src="data:image/png;base64,AA=="></p>')
    (tmp_path / "sub" / "index.html").write_text('<p id="a b"><a href="../index.html#top">b</a>')
    assert links.faults(tmp_path) == []
    (tmp_path / "sub" / "index.html").write_text(
        '<a href="../index.html#gone">1</a><a href="../none.html">2</a><img src="no.png">'
        '<script src="https://example.org/x.js"></script>')
    assert [line.split(": ", 1)[1] for line in links.faults(tmp_path)] == [
        "sub/index.html#a%20b: there is no such anchor",
        "../index.html#gone: there is no such anchor",
        "../none.html: there is no such file",
        "no.png: there is no such file",
        "https://example.org/x.js: is fetched from elsewhere"]


def test_the_site_is_built_and_its_links_followed_where_it_is_decided():
    text = (ROOT / ".ci" / "run").read_text()
    build, follow = text.index("sphinx-build -q -W"), text.index(".ci/links.py")
    assert build < follow
