"""A sweep's file says which configurations there are; what it cannot mean is told in a line."""

import pytest

from lnsarith.commands.common.options import settings_by_name
from lnsarith.host.files.reading import BadFile
from nets.experiments.jobs.plan import read_plan
from nets.experiments.jobs.sources import ROOT, digest, modules


def plan(tmp_path, text):
    path = tmp_path / "p.toml"
    path.write_text(text)
    return read_plan(path, settings_by_name)


def test_grids_lists_and_samples_multiply(tmp_path):
    found = plan(tmp_path, """
        name = "all"
        [settings]
        dataset = "digits"
        [grid]
        seed = [0, 1, 2]
        epochs = 4
        [[list]]
        arith = "lns12"
        [[list]]
        arith = "fixed12"
        gradients = "fixed12.11"
        [random]
        count = 5
        seed = 3
        [random.settings]
        lr = {log2 = [-8, -5]}
        batch = {whole = [1, 9]}
        momentum = {real = [0.0, 0.5]}
        activation = {of = ["relu", "leaky"]}""")
    runs = found.runs
    assert len(runs) == 2 * 5 * 3 and found.name == "all"
    assert {r.arith for r in runs} == {"lns12", "fixed12"}
    assert {r.gradients for r in runs if r.arith == "fixed12"} == {"fixed12.11"}
    assert {r.lr for r in runs} <= {"2^-8", "2^-7", "2^-6", "2^-5"}
    assert all(1 <= r.batch <= 9 and 0 <= float(r.momentum) <= 0.5 for r in runs)
    assert all(r.epochs == 4 for r in runs) and len({r.lr for r in runs}) > 1
    assert len({(r.lr, r.batch, r.momentum, r.activation) for r in runs}) == 5


def test_a_configuration_comes_once(tmp_path):
    text = '[settings]\ndataset = "digits"\n[[list]]\nseed = 1\n[[list]]\nseed = 1\nguard = 0\n'
    assert len(plan(tmp_path, text).runs) == 1


def test_what_contradicts_itself_is_refused_or_left_out(tmp_path):
    text = '[grid]\narith = ["lns12", "fixed12"]\nguard = [0, 2]\n'
    with pytest.raises(BadFile, match="arith = fixed12, guard = 0: guard = 0 has a meaning only"):
        plan(tmp_path, text)
    found = plan(tmp_path, "skip = true\n" + text)
    assert len(found.runs) == 2 and found.skipped == 2


@pytest.mark.parametrize("text, said", [
    ("[grid\n", "is not TOML"),
    ("", "nothing to run"),
    ("[settings]\nguardd = 3\n", "no setting is called 'guardd'; did you mean guard"),
    ("[settings]\nguard = 99\n", "guard must be 0..12, got 99"),
    ("[grid]\nseed = []\n", "grid.seed is empty"),
    ("[grids]\nseed = [1]\n", "grids is nothing that belongs there"),
    ("[random]\ncount = 0\n[random.settings]\n", "random.count must be an integer 1..100000"),
    ('[random]\ncount = 1\n[random.settings]\nlr = "2^-6"\n', "must be a table with one of"),
    ("[random]\ncount = 1\n[random.settings]\nbatch = {whole = [5, 1]}\n",
     "must be .low, high., whole numbers"),
    ("[random]\ncount = 1\n[random.settings]\nlr = {log2 = [-6.5, -1]}\n", "whole numbers"),
    (f"[grid]\nseed = {list(range(400))}\nbatch = {list(range(1, 300))}\n",
     "asks for 119,600 runs, more than 100,000"),
])
def test_a_file_that_means_nothing_is_refused_in_a_line(tmp_path, text, said):
    with pytest.raises(BadFile, match=said) as error:
        plan(tmp_path, text)
    assert str(error.value).startswith(str(tmp_path)) and "\n" not in str(error.value)


def test_what_decides_results_is_in_the_digest_and_no_more():
    found = modules()
    for name in ("fxp.compile.nests.products", "lnsarith.delta.tables", "lnsarith.lns.spec",
                 "nets.arithmetic.lns.softmax", "nets.data.sets", "nets.train.trainer"):
        assert name in found
    for name in ("nets.train.curves", "nets.experiments.jobs.store",
                 "lnsarith.commands.common.options", "lnsarith.host.picture", "lnsarith.cli"):
        assert name not in found


def test_the_digest_changes_with_code_and_not_with_comments(tmp_path):
    for path in modules().values():
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    assert digest(tmp_path) == digest()
    spec = tmp_path / "lnsarith" / "lns" / "spec.py"
    spec.write_text(spec.read_text() + "\n# a remark\n\n")
    digest.cache_clear()
    assert digest(tmp_path) == digest()
    spec.write_text(spec.read_text() + "MORE = 1\n")
    digest.cache_clear()
    assert digest(tmp_path) != digest()
