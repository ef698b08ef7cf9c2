"""Downloads of data sets, from a server on this machine."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.data_mirror import (
    COUNTS,
    FILES,
    Mirror,
    assert_is_small_mnist,
    make_files,
    private_cache,
    refusal,
    write,
)

from lnsarith.commands.networks import data as command
from nets.data import download
from nets.data import sets as data

ROOT = Path(__file__).parents[3]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    return private_cache(tmp_path, monkeypatch)


@pytest.fixture
def mirror(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    mirrors = []

    def start(*args, **kinds):
        mirrors.append(Mirror(*args, **kinds))
        return mirrors[-1]

    yield start
    for each in mirrors:
        each.shutdown()
        each.server_close()


@pytest.fixture
def served(monkeypatch):
    """Have mnist stand for these files on these mirrors."""

    def set_source(files, *urls):
        hashes = tuple(hashlib.sha256(files[name]).hexdigest() for name in FILES)
        source = download.SOURCES["mnist"]
        source = replace(source, hashes=hashes, mirrors=urls, counts=COUNTS)
        monkeypatch.setitem(download.SOURCES, "mnist", source)

    return set_source


@pytest.mark.parametrize("by_variable", [False, True])
def test_a_named_folder_without_the_files_is_refused_not_filled(
    cache, tmp_path, monkeypatch, mirror, served, by_variable
):
    files = make_files()
    server = mirror(files)
    served(files, server.url)
    write(cache / "mnist", files)
    some = write(tmp_path / "my data" / "mnist", {FILES[1]: files[FILES[1]]})
    if by_variable:
        monkeypatch.setenv("LNSARITH_DATA", str(some.parent))
    message = refusal("mnist", None if by_variable else some.parent)
    assert message == (
        f"mnist: no {FILES[0]}, {FILES[2]}, {FILES[3]} in {some}; put them there, "
        f"run `lnsarith data get mnist --data-dir '{some.parent}'`, "
        "or use --dataset digits, which needs no files"
    )
    assert not server.log


def test_a_download_fills_the_cache_once_and_quietly(cache, mirror, served, capfd):
    files = make_files()
    server = mirror(files)
    served(files, server.url)
    assert_is_small_mnist(data.load("mnist"))
    assert_is_small_mnist(data.load("mnist"))
    assert [name for name, _, _ in server.log] == list(FILES)
    assert sorted(os.listdir(cache / "mnist")) == sorted(FILES)
    assert capfd.readouterr() == ("", "")  # stderr is no terminal here


def test_a_wrong_hash_makes_the_next_mirror_serve(cache, mirror, served):
    files = make_files()
    wrong = mirror({name: b"an error page" for name in FILES})
    right = mirror(files)
    served(files, wrong.url, right.url)
    assert_is_small_mnist(data.load("mnist"))
    assert len(wrong.log) == len(right.log) == 4


def test_only_wrong_hashes_leave_no_file_and_one_clear_message(cache, mirror, served):
    wrong = mirror({name: b"an error page" for name in FILES})
    none = mirror({})
    served(make_files(), wrong.url, none.url)
    hosts = [f"127.0.0.1:{server.server_port}" for server in (wrong, none)]
    assert refusal("mnist") == (
        f"mnist: could not download {', '.join(FILES)} to {cache / 'mnist'} "
        f"({hosts[0]}: wrong sha256; {hosts[1]}: 404 Client Error: Not Found); "
        "put them there by hand, or use --dataset digits, which needs no download"
    )
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_a_broken_connection_is_resumed_where_it_broke(cache, mirror, served):
    files = make_files()
    server = mirror(files, cut=150_000)
    served(files, server.url)
    assert_is_small_mnist(data.load("mnist"))
    start = int(server.log[1][1].removeprefix("bytes=").removesuffix("-"))
    assert 0 < start <= 150_000
    rest = len(files[FILES[0]]) - start
    assert server.log[0] == (FILES[0], None, 150_000)
    assert server.log[1] == (FILES[0], f"bytes={start}-", rest)
    assert len(server.log) == 5


def test_without_range_support_the_file_is_sent_anew(cache, mirror, served):
    files = make_files()
    server = mirror(files, cut=150_000, ranges=False)
    served(files, server.url)
    assert_is_small_mnist(data.load("mnist"))
    assert server.log[1][1] and server.log[1][2] == len(files[FILES[0]])
    assert len(server.log) == 5


@pytest.mark.parametrize("length", [100_000, 400_000])
def test_a_part_of_another_file_is_dropped_and_fetched_anew(
    cache, mirror, served, length
):
    files = make_files()
    server = mirror(files)
    served(files, server.url)
    write(cache / "mnist" / ".part", {f"{FILES[0]}.part": b"x" * length})
    assert_is_small_mnist(data.load("mnist"))


def test_no_server_gives_one_clear_message(cache, mirror, served):
    files = make_files()
    server = mirror({})
    server.shutdown()
    server.server_close()
    served(files, server.url)
    message = refusal("mnist")
    assert f"(127.0.0.1:{server.server_port}: no connection)" in message
    assert FILES[0] in message and "--dataset digits" in message


def test_a_kill_leaves_only_the_part_and_the_next_run_goes_on(cache, mirror, served):
    files = make_files()
    server = mirror(files, cut=200_000)
    server.stall = threading.Event()
    served(files, server.url)
    path = cache / "mnist" / FILES[0]
    code = "import sys; from pathlib import Path; from nets.data.download import _fetch; "
    code += "_fetch((sys.argv[1],), Path(sys.argv[2]), sys.argv[3], True)"
    process = subprocess.Popen(
        [sys.executable, "-c", code, server.url, path, "0" * 64], cwd=ROOT
    )
    part = path.parent / ".part" / f"{path.name}.part"
    until = time.monotonic() + 120
    while not (part.exists() and part.stat().st_size > 100_000):
        assert time.monotonic() < until, "nothing came"
        time.sleep(0.01)
    process.kill()
    process.wait()
    server.stall.set()
    assert os.listdir(path.parent) == [".part"]
    assert_is_small_mnist(data.load("mnist"))
    assert server.log[1][1] and server.log[1][2] < len(files[FILES[0]])


def test_get_replaces_only_what_is_damaged(cache, mirror, served, tmp_path):
    files = make_files()
    server = mirror(files)
    served(files, server.url)
    write(tmp_path / "mnist", files | {FILES[1]: b"spoilt"})
    assert data.get("mnist", tmp_path)["found"] == str(tmp_path / "mnist")
    assert [name for name, _, _ in server.log] == [FILES[1]]
    assert_is_small_mnist(data.load("mnist", tmp_path))


@pytest.fixture
def emnist(monkeypatch, mirror):
    """Serve an archive that holds small emnist-letters and emnist-digits."""
    letters = download.SOURCES["emnist-letters"]
    digits = download.SOURCES["emnist-digits"]
    files = make_files(letters.files, classes=26, first=1)
    md5s = [hashlib.md5(gzip.decompress(file)).hexdigest() for file in files.values()]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in (files | make_files(digits.files)).items():
            archive.writestr(f"gzip/{name}", content)
    server = mirror({"gzip.zip": packed.getvalue()})
    digest = hashlib.sha256(packed.getvalue()).hexdigest()
    known = {"mirrors": (server.url,), "archive_hash": digest, "counts": COUNTS}
    letters = replace(letters, hashes=(md5s[0], "", md5s[2], ""), **known)
    monkeypatch.setitem(download.SOURCES, "emnist-letters", letters)
    monkeypatch.setitem(download.SOURCES, "emnist-digits", replace(digits, **known))
    return server


def test_one_archive_fills_both_emnist_sets_and_is_dropped(cache, emnist):
    assert data.load("emnist-letters").train_images.shape == (400, 28, 28)
    assert data.load("emnist-digits").test_labels.max() == 9
    assert len(emnist.log) == 1
    assert sorted(os.listdir(cache)) == ["emnist-digits", "emnist-letters"]


@pytest.mark.parametrize(
    "known, fault",
    [
        ({"hashes": ("0" * 32, "", "", "")}, "gzip.zip holds another emnist-letters"),
        ({"counts": (124_800, 20_800)}, "must hold (124800, 20800)"),
    ],
)
def test_unpacked_content_must_be_the_published_one(
    cache, emnist, monkeypatch, known, fault
):
    source = replace(download.SOURCES["emnist-letters"], **known)
    monkeypatch.setitem(download.SOURCES, "emnist-letters", source)
    assert fault in refusal("emnist-letters")


def test_data_get_answers_on_stdout_alone(cache, mirror, served, capsys):
    files = make_files()
    served(files, mirror(files).url)
    args = Namespace(data_dir=None, json=True, name="mnist")
    assert command.run_get(args) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["found"] == str(cache / "mnist")
    assert captured.err == ""
    command.run_get(Namespace(data_dir=None, json=False, name="digits"))
    assert capsys.readouterr().out.splitlines()[1].startswith("digits")
