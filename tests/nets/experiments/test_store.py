"""The store keeps runs of several sweeps at once, and what is none is refused in a line."""

import sqlite3
import threading

import pytest

from nets.experiments.jobs import store as stores
from nets.experiments.jobs.job import Job
from nets.experiments.jobs.store import Store, StoreError
from nets.experiments.results.choose import chosen
from nets.experiments.results.compare import grouped, paired
from nets.settings.settings import Settings


def job(**settings):
    return Job(Settings(**settings).resolved(), "data", "sources")


def result(accuracy=0.5):
    return {"records": {"test_accuracy": [0.1, accuracy], "val_accuracy": [None, None]},
            "model_sha256": "ab", "seconds": 2.0, "train_seconds": 1.0}


def test_what_is_kept_is_read_again(tmp_path):
    with Store(tmp_path / "s") as store:
        store.keep(job(seed=1), "first", result())
        store.fail(job(seed=2), "first", "it broke")
        store.keep_cost("unit", {"gates": 3})
    with Store(tmp_path / "s", create=False) as store:
        rows = {row["config"]["seed"]: row for row in store.rows(records=True)}
        assert rows[1]["test_accuracy"] == 0.5 and rows[1]["records"] == result()["records"]
        assert rows[2]["state"] == "failed" and rows[2]["error"] == "it broke"
        assert store.cost("unit") == {"gates": 3} and store.cost("other") is None
        assert store.states([job(seed=1).key, job(seed=3).key]) == {job(seed=1).key: "done"}


def test_all_that_decides_a_result_is_in_its_key():
    own = job()
    others = [job(guard=1), Job(own.config, "other", "sources"), Job(own.config, "data", "other"),
              Job(own.config, "data", "sources", "transfer")]
    assert len({j.key for j in [own, *others]}) == 5 and own.key == job().key


def test_one_process_alone_claims_a_run(tmp_path):
    key = job().key
    with Store(tmp_path / "s") as a, Store(tmp_path / "s") as b:
        a.owner, b.owner = "elsewhere:1", "elsewhere:2"
        assert a.claim(key) and not b.claim(key) and a.claim(key)
        a.release()
        assert b.claim(key)
        b.keep(job(), "x", result())
        assert not a.claim(key) and not a.claim(key, again=True)


def test_a_claim_whose_process_is_gone_is_free(tmp_path, monkeypatch):
    key = job().key
    with Store(tmp_path / "s") as a, Store(tmp_path / "s") as b:
        a.owner = f"{stores.platform.node()}:{(1 << 22) + 7}"  # beyond the largest process number
        assert a.claim(key) and b.claim(key)
        b.release()
        a.owner = "elsewhere:1"
        assert a.claim(key) and not b.claim(key)
        now = stores.time.time()
        monkeypatch.setattr(stores.time, "time", lambda: now + stores.STALE + 1)
        assert b.claim(key)


def test_a_failed_run_is_claimed_when_asked_for_again(tmp_path):
    with Store(tmp_path / "s") as store:
        store.fail(job(), "x", "it broke")
        assert not store.claim(job().key) and store.claim(job().key, again=True)


def test_threads_may_write_at_once(tmp_path):
    with Store(tmp_path / "s") as a, Store(tmp_path / "s") as b:
        def write(store, start):
            for seed in range(start, start + 25):
                store.keep(job(seed=seed), "x", result())

        threads = [threading.Thread(target=write, args=[s, i * 25])
                   for i, s in enumerate((a, b, a, b))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(a.rows()) == 100


def test_a_locked_store_says_so_and_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(stores, "WAIT", 0.2)
    path = tmp_path / "s"
    with Store(path) as store:
        store.keep(job(seed=1), "x", result())
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="is locked by another program"):
            store.keep(job(seed=2), "x", result())
        other.execute("ROLLBACK")
        store.keep(job(seed=2), "x", result())
        assert len(store.rows()) == 2


def test_what_is_no_store_is_refused_in_a_line_and_left_alone(tmp_path):
    whole = tmp_path / "whole"
    with Store(whole) as store:
        for seed in range(60):
            store.keep(job(seed=seed), "x", result())
    foreign = tmp_path / "foreign"
    sqlite3.connect(foreign).execute("CREATE TABLE runs (a)").connection.commit()
    cut, text, later = tmp_path / "cut", tmp_path / "text", tmp_path / "later"
    cut.write_bytes(whole.read_bytes()[:20000])
    text.write_text("no database at all, but text that is long enough to be looked at")
    later.write_bytes(whole.read_bytes())
    db = sqlite3.connect(later)
    db.execute("PRAGMA user_version = 9")
    db.close()
    for path, said in ((foreign, "of another program"), (cut, "is damaged"),
                       (text, "is damaged"), (later, "a later version"), (tmp_path, "no plain")):
        before = path.read_bytes() if path.is_file() else b""
        with pytest.raises(StoreError, match=said) as error:
            Store(path)
        assert "\n" not in str(error.value) and str(path) in str(error.value)
        assert (path.read_bytes() if path.is_file() else b"") == before
    with pytest.raises(StoreError, match="there is no store"):
        Store(tmp_path / "none", create=False)


def rows_of(values):
    """Return rows of a store: {arith: accuracies by seed}."""
    return [{"key": f"{a}{s}", "state": "done", "config": job(arith=a, seed=s).config,
             "test_accuracy": v} for a, seen in values.items() for s, v in enumerate(seen)]


def test_groups_have_means_and_paired_differences_by_hand():
    rows = rows_of({"lns16": [0.9, 0.8, 0.7], "lns12": [0.8, 0.8, 0.6]})
    first, second = grouped(rows, ["arith"])
    assert first["by"] == {"arith": "lns16"} and first["mean"] == pytest.approx(0.8)
    assert first["deviation"] == pytest.approx(0.1) and second["mean"] == pytest.approx(2.2 / 3)
    assert first["standard_error"] == pytest.approx(0.1 / 3 ** 0.5) and first["seeds"] == [0, 1, 2]
    apart, = paired(rows, ["arith"])
    assert apart["pairs"] == 3 and apart["difference"] == pytest.approx(-0.2 / 3)
    spread = (((-0.1 + 0.2 / 3) ** 2 * 2 + (0.2 / 3) ** 2) / 2) ** 0.5
    assert apart["standard_error"] == pytest.approx(spread / 3 ** 0.5)


def test_terms_choose_runs():
    rows = rows_of({"lns16": [0.9, 0.8], "fixed12": [0.5]})
    for where, count in ((["arith=lns16"], 2), (["arith!=lns16"], 1), (["arith~lns"], 2),
                         (["test_accuracy>=0.8"], 2), (["seed<1"], 2), (["seed=0.0"], 2),
                         (["arith=lns16", "seed=1"], 1), (["softmax-bits>3"], 3)):
        assert len(chosen(rows, where)) == count, where
    for where, said in ((["arith"], "must be NAME=VALUE"), (["aith=1"], "did you mean arith"),
                        (["seed<one"], "takes a number")):
        with pytest.raises(ValueError, match=said):
            chosen(rows, where)
