"""The benchmarks' own machinery: facts, judgements, tables, lines, equal words."""

import json
import sys

import numpy as np
import pytest

from benchmarks import fits
from benchmarks.common import machine, peers, timing
from benchmarks.common.child import run
from benchmarks.common.options import make_parser
from benchmarks.common.rows import RESULTS, Mark, Results, table
from benchmarks.speed.__main__ import main as speed
from benchmarks.speed.scalar_loop import delta_table, matmul
from benchmarks.speed.words import LNS, demand_equal, lns_words
from benchmarks.training import accuracy, networks
from lnsarith.catalogue.array import LnsArray
from lnsarith.delta.methods import Lut
from lnsarith.lns.spec import zero_level


@pytest.fixture(scope="module")
def facts():
    return machine.facts()


def test_facts_tell_the_machine_the_commit_and_the_versions(facts):
    assert facts["cpu"] and facts["cores"] >= 1 and facts["date"].endswith("Z")
    assert 0 <= facts["free_cores"] <= facts["cores"]
    assert facts["level"] in ("avx512", "avx2", "plain")
    assert facts["versions"]["numpy"] == np.__version__
    assert set(facts["threads"].values()) == {"1"}
    assert "numpy" in machine.describe(facts)


@pytest.mark.parametrize(
    ("mark", "value", "reached"),
    [
        (Mark(">=", 97.2), 97.2, True),
        (Mark(">=", 97.2), (97.1 + 97.2 + 97.3) / 3, True),
        (Mark(">=", 97.2), 97.19, False),
        (Mark("<=", 0.2), 0.2, True),
        (Mark("<", 450), 450, False),
    ],
)
def test_a_mark_judges_a_value(mark, value, reached):
    assert mark.reached(value) is reached


def test_every_row_is_a_json_line_with_the_facts(tmp_path, capsys):
    results = Results("trial", tmp_path)
    results.add({"row": "a", "seconds": 1.5}, 1.5, Mark("<", 2))
    results.add({"row": "b", "note": "skipped"}, None, Mark("<", 2))
    lines = (tmp_path / "trial.jsonl").read_text().splitlines()
    first, second = map(json.loads, lines)
    assert (first["benchmark"], first["seconds"], first["mark"]) == (
        "trial",
        1.5,
        "< 2",
    )
    assert first["reached"] is True and second["reached"] is None
    assert first["commit"] == results.facts["commit"]


def test_rows_are_kept_only_where_that_is_asked_for(tmp_path, monkeypatch, capsys):
    parser = make_parser("trial", "a trial")
    assert parser.parse_args([]).results is None
    assert parser.parse_args(["--record"]).results == RESULTS
    assert parser.parse_args(["--results", str(tmp_path)]).results == tmp_path
    monkeypatch.chdir(tmp_path)
    results = Results("trial")
    results.add({"row": "a"})
    assert results.finish({"row": "row"}) == 0 and not list(tmp_path.iterdir())
    assert "not kept" in capsys.readouterr().err
    assert results.finish({"row": "row"}) == 0
    results.add({"row": "c"}, 3.0, Mark("<", 2))
    assert results.finish({"row": "row"}) == 1
    assert "1 of the marks not reached" in capsys.readouterr().out


def test_a_trial_is_not_judged(tmp_path):
    results = Results("trial", tmp_path, judge=False)
    results.add({"row": "a"}, 3.0, Mark("<", 2))
    assert results.rows[0]["reached"] is None


def test_a_table_aligns_names_left_and_numbers_right():
    rows = [{"row": "one", "s": 1.25, "ok": True}, {"row": "fifteen", "s": None}]
    lines = table(rows, {"row": "what", "s": "s:.1f", "ok": "reached"}).splitlines()
    assert lines == ["what       s  reached", "one      1.2  yes", "fifteen    -  -"]


def test_sides_are_timed_in_turn_and_compared_round_by_round():
    order = []

    def side(name, times):
        times = iter(times)
        return lambda: order.append(name) or next(times)

    pair = timing.alternate(side("a", [1.0, 2.0, 4.0]), side("b", [3.0, 8.0, 8.0]), 3)
    assert order == list("ababab")
    assert pair == (2.0, 8.0, 3.0)


def test_the_scalar_loop_has_the_table_of_the_spec():
    delta = Lut().at(10, zero_level(LNS))
    spec = [[delta(k << 9, opposite) for k in range(21)] for opposite in (0, -1)]
    assert delta_table().tolist() == spec


def test_the_scalar_loop_multiplies_as_the_kernel_does():
    rng = np.random.default_rng(4)
    a, b = (rng.integers(*LNS.words, s, np.int16, True) for s in ((9, 40), (40, 33)))
    a[rng.random(a.shape) < 0.3] = LNS.zero
    for words in (a, b):
        words[words == -LNS.zero] = LNS.zero  # the loop knows zero with sign 0 alone
    a[:, 1], b[1] = a[:, 0] ^ -0x8000, b[0]  # sums that cancel
    for left, right in ((a, b), (lns_words(rng, 5, 50), lns_words(rng, 50, 32))):
        out = np.empty((len(left), right.shape[1]), np.int16)
        matmul(left, right, delta_table(), out)
        found = LnsArray(left, LNS) @ LnsArray(right, LNS)
        np.testing.assert_array_equal(out, found.words)


def test_words_that_differ_stop_a_comparison():
    with pytest.raises(RuntimeError, match="sum: 1 of 3 words differ"):
        demand_equal("sum", np.array([1, 2, 3]), np.array([1, 2, 4]))


def test_a_missing_competitor_is_a_row_that_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "xlns", None)
    monkeypatch.delitem(sys.modules, "benchmarks.common.peers.xlns", raising=False)
    with pytest.raises(peers.Missing, match="skipped: xlns is not installed"):
        peers.load("xlns")
    assert speed(["--parts", "add", "--tiny", "--results", str(tmp_path)]) == 0
    row = json.loads((tmp_path / "speed.jsonl").read_text())
    assert row["note"].startswith("skipped: xlns") and row["reached"] is None


def record(epoch, loss, accuracy):
    return {"epoch": epoch, "loss": loss, "test_accuracy": accuracy}


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (record(3, 0.02, 0.97), False),
        (record(3, 0.03, 0.96), False),
        (record(3, None, 0.97), True),
        (record(3, 0.5, 0.97), True),
        (record(3, 0.02, 0.9), True),
    ],
)
def test_a_run_that_ends_worse_than_it_was_blew_up(last, expected):
    assert (
        accuracy.blew_up([record(1, 0.3, 0.95), record(2, 0.03, 0.97), last])
        is expected
    )


def test_the_accuracy_of_two_seeds_is_one_row(tmp_path, capsys):
    options = ["--dataset", "digits", "--rows", "float32", "--seeds", "0,1"]
    assert accuracy.main([*options, "--epochs", "1", "--results", str(tmp_path)]) == 0
    row = json.loads((tmp_path / "accuracy.jsonl").read_text())
    assert row["mean"] == pytest.approx(sum(row["last"]) / 2, abs=1e-3)
    assert (row["mark"], row["reached"]) == (">= 97.2", None)
    assert "float32" in capsys.readouterr().out


def test_a_network_that_is_ready_is_only_read(tmp_path, monkeypatch):
    digits = networks.Row("--dataset digits --arith float32 --epochs 2", 99.9)
    monkeypatch.setattr(networks, "ROWS", {"digits": digits})
    runs = ["--seeds", "0,1", "--runs", str(tmp_path / "runs"), "--results", str(tmp_path)]
    assert networks.main(runs) == networks.main(runs) == 1
    logs = sorted((tmp_path / "runs").glob("*/log.jsonl"))
    assert [len(log.read_text().splitlines()) for log in logs] == [2, 2]
    tested = [json.loads(log.read_text().splitlines()[-1])["test_accuracy"] for log in logs]
    first, again = map(json.loads, (tmp_path / "networks.jsonl").read_text().splitlines())
    assert first["last"] == again["last"] == [round(100 * t, 4) for t in tested]
    assert first["model_sha256"] == again["model_sha256"] and first["reached"] is False


def test_a_row_is_measured_by_runs_or_by_what_is_recorded(tmp_path, monkeypatch):
    rows = {"first": networks.Row("--dataset digits --arith float32 --epochs 1"),
            "other": networks.Row("--dataset digits --arith float32 --epochs 2",
                                  beside="first", points=2)}
    monkeypatch.setattr(networks, "ROWS", rows)
    monkeypatch.setattr(networks, "RESULTS", tmp_path)
    recorded = {"row": "first", "command": f"lnsarith train {rows['first'].options}",
                "seeds": [0], "mean": 101.5, "date": "today"}
    kept, name = tmp_path / "networks.jsonl", str(tmp_path / "runs")
    kept.write_text(json.dumps({**recorded, "seeds": [1], "mean": 5}) + "\n"
                    + json.dumps(recorded) + "\n")

    def mark(names: str) -> str:
        networks.main(["--rows", names, "--runs", name, "--results", str(tmp_path / "new")])
        told = (tmp_path / "new" / "networks.jsonl").read_text().splitlines()
        return json.loads(told[-1])["mark"]

    assert mark("other") == ">= 99.5"
    run = json.loads((tmp_path / "runs" / "other-s0" / "log.jsonl").read_text().splitlines()[0])
    assert mark("first,other") == f">= {round(100 * run['test_accuracy'] - 2, 4):g}"


def test_a_fit_is_judged_by_its_units_and_its_seconds(tmp_path, monkeypatch):
    monkeypatch.setattr(fits, "ERRORS", (0.05, 0.02))
    monkeypatch.setattr(fits, "UNITS", {"logistic": (1, 30)})
    monkeypatch.setattr(fits, "SECONDS", Mark("<", 600))
    assert fits.main(["--results", str(tmp_path)]) == 1
    rows = [json.loads(line) for line in (tmp_path / "fits.jsonl").read_text().splitlines()]
    judged = [(row["error"], row["what"], row["mark"], row["reached"]) for row in rows]
    assert judged == [(0.05, "units", "<= 1", False), (0.05, "seconds", "< 600", True),
                      (0.02, "units", "<= 30", True), (0.02, "seconds", "< 600", True)]
    few, more = rows[0], rows[2]
    for count in ("value", "bls_pieces", "ls_pieces", "lines"):
        assert 1 < few[count] <= more[count]


def test_a_child_tells_its_time_and_its_memory():
    child = run(["-c", "x = bytearray(50_000_000); print(len(x))"])
    assert child.stdout == "50000000\n"
    assert child.seconds > 0 and child.peak_mb > 50
