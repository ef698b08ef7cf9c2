"""Compiled code that is kept between runs, when its files are damaged or cannot be written."""

import logging
import os
import pickle
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.front_door import ROOT, assert_one_line, call
from llvmlite import ir
from numba import types

from fxp.compile.cache import njit
from fxp.compile.machine import kept, native


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The folder of the entries, still to be made."""
    monkeypatch.setenv("LNSARITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(kept.tempfile, "tempdir", str(tmp_path))
    for kind in (kept.folder, kept._report_unkept):
        kind.cache_clear()
    yield kept.folder()
    kept.folder.cache_clear()


def twice():
    """Compile anew, or load; return the answer for 21 and whether it was loaded."""

    @njit(types.int64(types.int64), cache=True)
    def run(x):
        return 2 * x

    return run(21), sum(run.stats.cache_hits.values()) == 1


def flipped(path, place=-1):
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def grown(path):
    path.write_bytes(path.read_bytes() + b"\0")


def folder_instead(path, *inside):
    path.unlink()
    path.mkdir()
    for name in inside:
        (path / name).write_text("text")


def fifo_instead(path):
    path.unlink()
    os.mkfifo(path)


def link_instead(path, to):
    path.unlink()
    path.symlink_to(to)


def others(path):
    """Another entry's bytes, whole."""
    kept.write("another", pickle.dumps(5))
    shutil.copy(path.with_name("another"), path)


DAMAGE = {
    "empty": lambda path: path.write_bytes(b""),
    "cut in its head": lambda path: os.truncate(path, 30),
    "cut": lambda path: os.truncate(path, path.stat().st_size // 2),
    "cut by a byte": lambda path: os.truncate(path, path.stat().st_size - 1),
    "longer by a byte": grown,
    "a terabyte": lambda path: os.truncate(path, 1 << 40),
    "first bit": lambda path: flipped(path, 0),
    "length": lambda path: flipped(path, 23),
    "checksum": lambda path: flipped(path, 30),
    "last bit": flipped,
    "garbage": lambda path: path.write_bytes(os.urandom(path.stat().st_size)),
    "text": lambda path: path.write_text("def run(x): return 43\n"),
    "another's": others,
    "nothing, whole": lambda path: kept.write(path.name, b""),
    "no pickle": lambda path: kept.write(path.name, b"no pickle"),
    "a pickle of something": lambda path: kept.write(path.name, pickle.dumps(("a", 5))),
    "a pickle of nothing known": lambda path: kept.write(path.name, b"cnowhere\nnothing\n."),
    "a folder": folder_instead,
    "a full folder": lambda path: folder_instead(path, "a", "b"),
    "a pipe": fifo_instead,
    "a device": lambda path: link_instead(path, "/dev/zero"),
    "a link to itself": lambda path: link_instead(path, path),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_entry_is_told_in_one_line_and_made_anew(kind, place, caplog):
    caplog.set_level(logging.INFO, "fxp")
    assert [twice(), twice()] == [(42, False), (42, True)]
    (path,) = place.iterdir()
    DAMAGE[kind](path)
    assert twice() == (42, False)
    (line,) = caplog.messages
    assert line.startswith(f"{path} is damaged, and made anew: ") and "\n" not in line
    assert path.is_file() and not path.is_symlink()
    assert twice() == (42, True) and len(caplog.messages) == 1


def kernel(monkeypatch, name="kernel"):
    """Compile anew, or load, a function that writes 42; return that and whether it was loaded."""
    monkeypatch.setattr(native, "_FUNCTIONS", {})
    compiled, word = [], np.zeros(1, np.int64)

    def emit(builder, address):
        compiled.append(name)
        builder.store(ir.Constant(native.I64, 42),
                      builder.inttoptr(address, native.I64.as_pointer()))

    native.function(name, emit).run(word.ctypes.data)
    return word[0], not compiled


@pytest.mark.parametrize("kind", ["cut", "no pickle", "a pickle of something", "another kernel"])
def test_a_damaged_kernel_is_told_in_one_line_and_made_anew(kind, place, caplog, monkeypatch):
    caplog.set_level(logging.INFO, "fxp")
    assert kernel(monkeypatch) == (42, False) and kernel(monkeypatch) == (42, True)
    (path,) = place.iterdir()
    if kind == "another kernel":
        assert kernel(monkeypatch, "other") == (42, False)
        (other,) = set(place.iterdir()) - {path}
        kept.write(path.name, kept.read(other.name))
    else:
        DAMAGE[kind](path)
    assert kernel(monkeypatch) == (42, False)
    (line,) = caplog.messages
    assert line.startswith(f"{path} is damaged, and made anew: ") and "\n" not in line
    assert kernel(monkeypatch) == (42, True) and len(caplog.messages) == 1


SUMS = """
import sys
import numpy as np
from fxp.compile.cache import compile_module
run = compile_module("sums", '''
import numpy as np
from fxp.compile.cache import njit

@njit(cache=True)
def run(x):
    sums = np.zeros(len(x), np.int64)
    for i in range(len(x)):
        sums[i:] += x[i]
    return sums
''').run
print(run(np.arange(4)).tolist(), "numba.np.linalg" in sys.modules)
"""


def test_kept_code_of_arrays_runs_without_all_that_numba_compiles(tmp_path):
    said = [subprocess.run([sys.executable, "-c", SUMS], cwd=ROOT, text=True, capture_output=True,
                           check=True, env={**os.environ, "LNSARITH_CACHE": str(tmp_path)}).stdout
            for _ in range(2)]
    assert said == ["[0, 1, 3, 6] True\n", "[0, 1, 3, 6] False\n"]


@pytest.mark.parametrize("kind", ["gone", "a link to nothing"])
def test_an_absent_entry_is_no_damage(kind, place, caplog):
    caplog.set_level(logging.INFO, "fxp")
    twice()
    (path,) = place.iterdir()
    path.unlink() if kind == "gone" else link_instead(path, place / "nothing")
    assert [twice(), twice()] == [(42, False), (42, True)] and not caplog.messages


def test_an_entry_that_may_not_be_read_is_made_anew(place, caplog, monkeypatch):
    caplog.set_level(logging.INFO, "fxp")
    twice()
    (path,) = place.iterdir()

    def refused(*args):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(kept.os, "open", refused)
        assert kept.read(path.name) is None
    assert caplog.messages == [f"{path} is damaged, and made anew: Permission denied"]


def test_a_full_disk_is_told_and_leaves_nothing(place, caplog, monkeypatch):
    caplog.set_level(logging.INFO, "fxp")
    part = place / "part"

    def full(*names):
        part.write_bytes(b"")
        return os.open("/dev/full", os.O_WRONLY), str(part)

    monkeypatch.setattr(kept.tempfile, "mkstemp", full)
    assert twice() == (42, False)
    (line,) = caplog.messages
    assert line.endswith("serves this process alone: No space left on device")
    assert list(place.iterdir()) == []


def unwritable(folder, kind):
    (folder / "file").write_text("text")
    return {"file": folder / "file", "folder of a file": folder / "file" / "cache",
            "device": Path("/dev/null")}[kind]


@pytest.mark.parametrize("kind", ["file", "folder of a file", "device"])
def test_a_cache_that_cannot_be_made_gives_way_to_a_temporary_one(kind, tmp_path):
    spare = tmp_path / "temporary"
    spare.mkdir()
    env = {"LNSARITH_CACHE": str(unwritable(tmp_path, kind)), "TMPDIR": str(spare)}

    def check():
        return call("check", "lns-mul", "--arith", "lns8", "--verbose", cwd=tmp_path, env=env)

    code, out, err = check()
    assert code == 0 and out.startswith("lns-mul")
    home = spare / f"lnsarith-{os.getuid()}"
    assert_one_line(err, "compiled code cannot be kept in", f"goes to {home}")
    kept_now = [p for p in home.rglob("*") if p.is_file()]
    assert kept_now and home.stat().st_mode & 0o777 == 0o700
    stamps = [p.stat().st_mtime_ns for p in kept_now]
    assert check() == (0, out, "")
    assert [p.stat().st_mtime_ns for p in kept_now] == stamps
    assert (tmp_path / "file").read_text() == "text" and len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("what", ["open to others", "a link", "a file"])
def test_code_is_not_read_from_a_temporary_folder_of_others(what, place, tmp_path, caplog,
                                                            monkeypatch):
    caplog.set_level(logging.INFO, "fxp")
    home = tmp_path / f"lnsarith-{os.getuid()}"
    if what == "a file":
        home.write_text("text")
    else:
        held = tmp_path / "held" if what == "a link" else home
        held.mkdir(mode=0o700)
        held.chmod(0o777 if what == "open to others" else 0o700)
        if what == "a link":
            home.symlink_to(held)
    (tmp_path / "cache").write_text("no folder")
    assert [twice(), twice()] == [(42, False), (42, False)]
    (line,) = caplog.messages
    assert "serves this process alone" in line
    assert home.is_file() or list(home.iterdir()) == []


def test_verbose_tells_of_damage_and_nothing_else_does(tmp_path):
    cache = tmp_path / "cache"
    command = ("check", "lns-mul", "--arith", "lns8")

    def check(*more):
        return call(*more, *command, cwd=tmp_path, env={"LNSARITH_CACHE": str(cache)})

    first = check("--verbose")
    assert first[0] == 0 and first[2] == ""
    entries = [path for path in cache.rglob("*") if path.is_file()]
    for path in entries:
        path.write_bytes(b"")
    code, out, err = check("--verbose")
    assert (code, out) == first[:2]
    told = err.splitlines()
    assert len(told) == len(entries) > 0
    assert all(line.startswith("lnsarith: ") and "is damaged" in line for line in told)
    for path in entries:
        path.write_bytes(b"")
    assert check() == first


def test_files_that_may_hold_nothing_stop_no_command(tmp_path):
    """As a full disk: no file may grow beyond nothing, in the cache or elsewhere."""
    done = subprocess.run(
        [sys.executable, "-m", "lnsarith", "check", "lns-mul", "--arith", "lns8"],
        cwd=tmp_path, text=True, capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LNSARITH_CACHE": str(tmp_path)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))
    assert done.returncode == 0 and done.stdout.startswith("lns-mul"), done.stderr
    assert done.stderr == "" and not [p for p in Path(tmp_path).rglob("*") if p.is_file()]


def test_what_a_killed_write_left_goes_once_it_is_old(place):
    place.mkdir(parents=True)
    old, new = place / ".a.1.x.part", place / ".a.2.x.part"
    for part in (old, new):
        part.write_bytes(b"half")
    os.utime(old, (0, 0))
    kept.write("b", b"whole")
    assert not old.exists() and new.exists() and kept.read("b") == b"whole"


@pytest.mark.parametrize("changed", ["compile/nodes/lanes.py", "trace/bits.py", "run/backend.py",
                                     "operators/xnor.py", "spec.py", "a_new_file.py"])
def test_code_of_other_sources_is_never_met(changed, place, tmp_path, monkeypatch):
    """A source of any folder of fxp that changes, or comes, gives the entries another folder."""
    copy = tmp_path / "fxp"
    shutil.copytree(kept.SOURCES, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(kept, "SOURCES", copy)
    assert kept._digest() == place.name
    kept.write("a", b"stale")
    with open(copy / changed, "a") as source:
        source.write("# other\n")
    kept.folder.cache_clear()
    assert kept.folder() != place and kept.read("a") is None
