"""The sums of one product alone: what changes is its plan, and is the plan of that register."""

import json

import pytest

from fxp.trace.plans import plan_digest
from lnsarith.cli import main
from nets.arithmetic.choose import make_arithmetic
from nets.experiments.studies.products import PRODUCTS, Change, changes, put
from nets.settings.settings import Settings


def _digests(change=None, **given):
    ar = make_arithmetic(Settings(arith="lns9.4", delta="exact", **given))
    if change:
        put(change, ar)
    return {product: plan_digest(getattr(ar, name)()) for product, name in PRODUCTS.items()}


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("change, given", [
    (Change("", 3), {"guard": 3}), (Change("", 0, "tree"), {"order": "tree"})], ids=str)
def test_one_product_has_the_sums_that_a_setting_gives_all(product, change, given):
    alone = Change(product, change.bits, change.order)
    sound, wanted, found = _digests(), _digests(**given), _digests(alone)
    for name in PRODUCTS:
        assert found[name] == (wanted if name == product else sound)[name]
        assert wanted[name] != sound[name]
    assert _digests(Change("all", change.bits, change.order)) == wanted


def test_a_register_narrower_than_its_words_rounds_what_it_adds():
    ar = make_arithmetic(Settings(arith="lns9.4", delta="exact", guard=1))
    acc = ar.accumulator("activations", "weights", "weights", "activations")
    narrow = Change("forward", -3).of(acc)
    assert (narrow.register.bits, narrow.register.frac) == (7, 2) and narrow.guard == 0
    assert narrow.of("a").frac == narrow.of("out").frac == 4


def test_changes_are_of_each_product_alone_then_of_all():
    names = [str(c) for c in changes([2, -1], ["tree"])]
    assert names[:4] == ["as it is", "forward +2 bits", "forward -1 bits", "forward tree"]
    assert len(names) == 1 + 4 * 3 and names[-1] == "all tree"


def test_the_study_tells_each_change_against_none(tmp_path, capsys):
    assert main(["study", "products", "--dataset", "digits", "--hidden", "12", "--epochs", "1",
                 "--arith", "lns9.4", "--seeds", "0,1", "--register=-3", "--orders", "none",
                 "--updates", "stochastic", "--json", "--out", str(tmp_path)]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [r["change"] for r in rows] == ["as it is", *(f"{p} -3 bits" for p in PRODUCTS),
                                          "all -3 bits"]
    assert rows[0]["difference"] == 0 and rows[-1]["mean"] < rows[0]["mean"]
    apart = [b - a for a, b in zip(rows[0]["accuracies"], rows[-1]["accuracies"])]
    assert rows[-1]["difference"] == pytest.approx(sum(apart) / 2)
    assert (tmp_path / "study.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("more, said", [
    (["--arith", "fixed16"], "not fixed16"), (["--orders", "up"], "got 'up'"),
    (["--register", "1,1"], "each once"), (["--register", "x"], "register"),
])
def test_what_cannot_be_studied_is_told(tmp_path, capsys, more, said):
    code = main(["study", "products", "--dataset", "digits", "--out", str(tmp_path / "s"), *more])
    assert code == 2 and said in capsys.readouterr().err and not (tmp_path / "s").exists()
