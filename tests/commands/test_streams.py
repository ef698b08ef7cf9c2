"""Commands whose standard streams are closed, full or have lost their reader."""

import json
import os
import subprocess
import sys

import pytest
from helpers.front_door import DIGITS, ROOT, answer, assert_one_line

TRAIN = (*DIGITS, "--arith", "float32", "--hidden", "8", "--epochs", "2", "--json")
CHECK = ("check", "fixed-add", "--arith", "fixed4.1", "--json")


def redirected(streams, *args, cwd):
    """Return exit code, stdout and stderr of a command under a shell's redirections."""
    words = [sys.executable, "-m", "lnsarith", *map(str, args)]
    done = subprocess.run(["sh", "-c", f'exec "$@" {streams}', "sh", *words], cwd=cwd, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
                          timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return folder, answer(*TRAIN[:-1], "--out", "r", cwd=folder)


QUIET = ["2>&-", "2>/dev/full", "2</dev/null"]  # nobody hears complaints
UNASKED = ["<&- >&- 2>&-", ">&- 2>/dev/full"]  # nor asks for an answer


@pytest.mark.parametrize("streams", [*QUIET, *UNASKED])
def test_training_goes_on_and_writes_the_same_model(streams, trained, tmp_path):
    code, out, _ = redirected(streams, *TRAIN, "--out", "r", cwd=tmp_path)
    assert code == 0
    model = (tmp_path / "r" / "model.npz").read_bytes()
    assert model == (trained[0] / "r" / "model.npz").read_bytes()
    if streams in QUIET:
        assert json.loads(out)["model_sha256"] == trained[1]["model_sha256"]
    else:
        assert out == ""
    log = (tmp_path / "r" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in log] == [1, 2]


@pytest.mark.parametrize("streams", [">/dev/full", ">/dev/full 2>&1"])
def test_training_whose_answer_cannot_be_written_is_kept_but_fails(streams, trained, tmp_path):
    code, out, err = redirected(streams, *TRAIN, "--out", "r", cwd=tmp_path)
    assert (code, out) == (2, "")
    if "2>" not in streams:
        assert_one_line(err.splitlines(True)[-1], "stdout: ")
    model = (tmp_path / "r" / "model.npz").read_bytes()
    assert model == (trained[0] / "r" / "model.npz").read_bytes()


ANSWERING = [("--help",), ("--version",), ("train", "--help"), ("ops",), ("rtl", "list"), CHECK,
             ("data", "list", "--json"), ("predict", "r", "nope.png"), ("nonsense",),
             ("eval", "r", "--require", "100%")]


@pytest.mark.parametrize("args", ANSWERING, ids=" ".join)
def test_every_command_answers_and_exits_as_with_open_streams(args, trained):
    folder, _ = trained
    code, out, err = redirected("", *args, cwd=folder)
    assert (code == 0) == (err == "") and (code < 2) == (out != "")
    assert redirected("2>/dev/full", *args, cwd=folder) == (code, out, "")
    assert redirected("<&- >&-", *args, cwd=folder) == (code, "", err)
    full = redirected(">/dev/full", *args, cwd=folder)
    if out:
        assert full[:2] == (2, "")
        assert_one_line(full[2].splitlines(True)[-1], "stdout: No space left on device")
    else:
        assert full == (code, "", err)


@pytest.mark.parametrize("args", [("--help",), ("train", "--help"), ("ops",), CHECK], ids=" ".join)
def test_a_reader_that_leaves_early_hears_no_complaint(args, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "-m", "lnsarith", *args], cwd=tmp_path, stdout=writer,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE,
                          check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_no_file_takes_the_number_of_a_closed_stream(tmp_path):
    program = """
import os, subprocess, sys
from lnsarith.host import streams
streams.prepare()
with open("found", "w") as file:
    print(sys.stderr.write("lost\\n"), file=file)
    print(file.fileno() > 2, os.get_inheritable(1), file=file)
    child = "import os; os.write(1, b'lost'); os.write(2, b'lost')"
    print(subprocess.call([sys.executable, "-c", child]), file=file)
    print(sys.stdout.write("lost"), file=file)
"""
    subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", program],
                   cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    assert (tmp_path / "found").read_text() == "5\nTrue True\n0\n4\n"


def test_letters_that_stdout_lacks_are_escaped(tmp_path):
    program = ("from lnsarith.host import streams; streams.prepare(); "
               "print('\\xd7 \\u2264 \\udcff')")
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT),
                               "PYTHONIOENCODING": "latin-1"})
    assert done.stdout == b"\xd7 \\u2264 \\udcff\n"
