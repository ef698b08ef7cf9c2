"""Small data sets, and a local server that serves them."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from nets.data import download
from nets.data import sets as data

FILES = download.SOURCES["mnist"].files
COUNTS = (400, 60)  # 400 random images: more than the 64 KB that travel at once


def idx(array):
    magic = bytes([0, 0, 8, array.ndim])
    return magic + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def make_arrays(counts=COUNTS, classes=10, first=0):
    random = np.random.default_rng(1)
    arrays = []
    for count in counts:
        arrays.append(random.integers(0, 256, (count, 28, 28), np.uint8))
        arrays.append((np.arange(count) % classes + first).astype(np.uint8))
    return arrays


def make_files(names=FILES, **kinds):
    return {
        name: gzip.compress(idx(array), 1)
        for name, array in zip(names, make_arrays(**kinds), strict=True)
    }


def write(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


class Mirror(ThreadingHTTPServer):
    """Serves files; breaks off the first answer after cut bytes; logs what it sent."""

    daemon_threads = True

    def __init__(self, files, cut=None, ranges=True):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.cut, self.ranges = files, cut, ranges
        self.log, self.stall = [], None
        self.url = f"http://127.0.0.1:{self.server_port}/some/where/"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802
        mirror, name = self.server, self.path.rsplit("/", 1)[-1]
        body, asked = mirror.files.get(name), self.headers["Range"]
        if body is None:
            return self.send_error(404)
        start = int(asked[6:-1]) if asked and mirror.ranges else 0
        if asked and start >= len(body):
            return self.send_error(416)
        self.send_response(206 if asked and mirror.ranges else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.send_header("Content-Encoding", "gzip")  # as some do; no reason to unpack
        self.end_headers()
        sent = body[start:][: mirror.cut]
        mirror.log.append((name, asked, len(sent)))
        mirror.cut = None
        self.wfile.write(sent)
        if mirror.stall:
            mirror.stall.wait(20)

    def log_message(self, *_):
        pass


def private_cache(tmp_path, monkeypatch):
    """Have the user's cache, and with it the data sets' home, below tmp_path."""
    monkeypatch.delenv("LNSARITH_DATA", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda _: tmp_path / "cache")
    return tmp_path / "cache" / "data"


def assert_is_small_mnist(dataset):
    arrays = make_arrays()
    for name, array in zip(("train", "test"), (arrays[:2], arrays[2:]), strict=True):
        np.testing.assert_array_equal(getattr(dataset, f"{name}_images"), array[0])
        np.testing.assert_array_equal(getattr(dataset, f"{name}_labels"), array[1])


def refusal(*args):
    with pytest.raises(data.DataError) as caught:
        data.load(*args)
    assert "\n" not in str(caught.value)
    return str(caught.value)
