"""The store of runs: one SQLite file, written by several sweeps at once.

A run has a row once it is done or has failed, under a key of all that decides its result.
Before, a claim says which process has it in hand: a claim whose process is gone, or that was
not renewed for a minute, is free.
"""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nets.experiments.jobs.job import Job

__all__ = ["STALE", "Store", "StoreError"]

APPLICATION, VERSION = 0x6C6E7361, 1  # "lnsa"
STALE = 60.0  # seconds after which a claim that was not renewed is free
WAIT = 20.0  # seconds that a write waits for another
TABLES = """
CREATE TABLE IF NOT EXISTS runs (
    key TEXT PRIMARY KEY, state TEXT NOT NULL, sweep TEXT NOT NULL, config TEXT NOT NULL,
    data TEXT NOT NULL, sources TEXT NOT NULL, transfer TEXT NOT NULL, error TEXT,
    test_accuracy REAL, val_accuracy REAL, model_sha256 TEXT, seconds REAL, train_seconds REAL,
    ended TEXT NOT NULL, host TEXT NOT NULL, records TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claims (
    key TEXT PRIMARY KEY, owner TEXT NOT NULL, renewed REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS costs (
    design TEXT PRIMARY KEY, cost TEXT NOT NULL) WITHOUT ROWID;
"""


class StoreError(ValueError):
    """A store that cannot be opened, read or written."""


class Store:
    """The runs in a file, which is made where there is none."""

    def __init__(self, path: Path, create: bool = True):
        self.path = Path(path)
        self.owner = f"{platform.node()}:{os.getpid()}"
        self._lock = threading.RLock()  # for one thread at a time
        if not create and not self.path.is_file():
            raise StoreError(f"there is no store {self.path}: lnsarith sweep makes one")
        if self.path.exists() and not self.path.is_file():
            raise StoreError(f"{self.path} is no store of runs: it is no plain file")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=WAIT, isolation_level=None,
                                       check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"cannot open {self.path}: {error}") from None
        with self._telling():
            self._demand_own()

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _demand_own(self) -> None:
        """Make the tables in an empty file; StoreError for one of another program."""
        size = self.path.stat().st_size
        application = self._db.execute("PRAGMA application_id").fetchone()[0]
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if size and application != APPLICATION:
            raise StoreError(f"{self.path} is a database of another program, no store of runs; "
                             "give another --store")
        if version > VERSION:
            raise StoreError(f"{self.path} was written by a later version of lnsarith (store "
                             f"{version}, this one knows {VERSION})")
        if size and self._db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("its pages do not fit together")
        if not size:
            with self._writing():
                self._db.execute(f"PRAGMA application_id = {APPLICATION}")
                self._db.execute(f"PRAGMA user_version = {VERSION}")
                for statement in filter(str.strip, TABLES.split(";")):
                    self._db.execute(statement)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn what SQLite complains of into one line with the file's name."""
        try:
            with self._lock:
                yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                raise StoreError(f"{self.path} is locked by another program for more than "
                                 f"{WAIT:g} s; nothing was lost, try again") from None
            raise StoreError(f"{self.path}: {error}") from None
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{self.path} is damaged, or no store of runs ({error}); put a copy "
                             "of it back, or give another --store") from None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._telling():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    # --- what a sweep writes ------------------------------------------------------

    def states(self, keys: Iterable[str]) -> dict[str, str]:
        """Return done or failed of those runs that have a row."""
        wanted = set(keys)
        with self._telling():
            return {key: state for key, state in self._db.execute("SELECT key, state FROM runs")
                    if key in wanted}

    def claim(self, key: str, again: bool = False) -> bool:
        """Take a run in hand; False if another process has it, or it has a row (again: other
        than of a failure)."""
        with self._writing():
            row = self._db.execute("SELECT state FROM runs WHERE key = ?", [key]).fetchone()
            if row and not (again and row[0] == "failed"):
                return False
            held = self._db.execute("SELECT owner, renewed FROM claims WHERE key = ?",
                                    [key]).fetchone()
            if held and held[0] != self.owner and not _gone(*held):
                return False
            self._db.execute("INSERT OR REPLACE INTO claims VALUES (?, ?, ?)",
                             [key, self.owner, time.time()])
            return True

    def renew(self) -> None:
        """Say that this process still has its runs in hand."""
        with self._writing():
            self._db.execute("UPDATE claims SET renewed = ? WHERE owner = ?",
                             [time.time(), self.owner])

    def release(self) -> None:
        """Let go what this process has in hand."""
        with self._writing():
            self._db.execute("DELETE FROM claims WHERE owner = ?", [self.owner])

    def keep(self, job: Job, sweep: str, result: dict) -> None:
        """Write a run that is done."""
        columns = result["records"]
        self._put(job, sweep, "done", {
            "test_accuracy": columns["test_accuracy"][-1], "val_accuracy":
            columns["val_accuracy"][-1], "model_sha256": result["model_sha256"],
            "seconds": result["seconds"], "train_seconds": result["train_seconds"],
            "host": result.get("host") or platform.node(), "records": json.dumps(columns)})

    def fail(self, job: Job, sweep: str, error: str) -> None:
        """Write a run that failed, with the reason."""
        self._put(job, sweep, "failed", {"error": error, "host": platform.node()})

    def _put(self, job: Job, sweep: str, state: str, values: dict) -> None:
        row = {"key": job.key, "state": state, "sweep": sweep, "data": job.data,
               "config": json.dumps(job.config), "sources": job.sources,
               "transfer": job.transfer,
               "ended": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **values}
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        with self._writing():
            self._db.execute(f"INSERT OR REPLACE INTO runs ({names}) VALUES ({marks})",
                             list(row.values()))
            self._db.execute("DELETE FROM claims WHERE key = ?", [job.key])

    # --- what others read ---------------------------------------------------------

    def rows(self, records: bool = False) -> list[dict]:
        """Return every run as plain data, its config as a table; its records by column if
        asked for."""
        names = ["key", "state", "sweep", "config", "data", "sources", "transfer", "error",
                 "test_accuracy", "val_accuracy", "model_sha256", "seconds", "train_seconds",
                 "ended", "host", *(["records"] if records else [])]
        with self._telling():
            found = self._db.execute(f"SELECT {', '.join(names)} FROM runs ORDER BY ended, key"
                                     ).fetchall()
        rows = [dict(zip(names, values)) for values in found]
        try:
            for row in rows:
                row["config"] = json.loads(row["config"])
                if records:
                    row["records"] = json.loads(row["records"] or "null")
        except ValueError as error:
            raise StoreError(f"{self.path} is damaged: a run has no JSON ({error})") from None
        return rows

    def cost(self, design: str) -> dict | None:
        """Return what a design was found to cost, None if it was not."""
        with self._telling():
            row = self._db.execute("SELECT cost FROM costs WHERE design = ?", [design]).fetchone()
        return json.loads(row[0]) if row else None

    def keep_cost(self, design: str, cost: dict) -> None:
        """Write what a design costs."""
        with self._writing():
            self._db.execute("INSERT OR REPLACE INTO costs VALUES (?, ?)",
                             [design, json.dumps(cost)])


def _gone(owner: str, renewed: float) -> bool:
    """Whether a claim's process does not work on it any more."""
    host, _, pid = owner.rpartition(":")
    if host == platform.node():
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
        except (OSError, ValueError):
            pass
    return not -STALE < time.time() - renewed < STALE
