"""Settings that mean nothing beside the others are refused, given as the default or not."""

import pytest

from fxp.format import FormatError
from lnsarith.cli import main
from nets.settings.settings import Settings
from nets.settings.suited import settings_for

MEANINGLESS = [
    ("fixed16", ("delta", "guard", "order", "underflow", "decay", "softmax_bits", "softmax_pull",
                 "softmax_free", "register_bits", "norm_delta", "optimizer", "loss", "clip_norm",
                 "backward", "scales", "clip_operands", "statistics", "gain")),
    ("float32", ("delta", "order", "accumulator", "update_guard", "softmax_delta", "scales",
                 "backward")),
    ("lns16", ("accumulator", "transfer", "optimizer", "scales", "statistics")),
    ("minselect16", ("delta", "accumulator", "optimizer")),
    ("minselect-float", ("scales", "softmax_delta", "accumulator")),
]


@pytest.mark.parametrize("arith, name", [(a, n) for a, names in MEANINGLESS for n in names])
def test_what_means_nothing_is_refused_even_as_the_default(arith, name):
    settings_for({"arith": arith})  # with all its defaults
    with pytest.raises(FormatError, match=f"^{name} = .* has a meaning only with"):
        settings_for({"arith": arith, name: getattr(Settings(), name)})


@pytest.mark.parametrize("given, message", [
    ({"model": "lenet5", "hidden": (100,)}, "hidden has a meaning only with model mlp"),
    ({"init": "he", "init_std": Settings().init_std}, "init_std has a meaning only with init")])
def test_so_is_what_means_nothing_to_the_model(given, message):
    with pytest.raises(FormatError, match=message):
        settings_for(given)


@pytest.mark.parametrize("delta", ["lut", "exact"])
def test_a_delta_method_beside_fixed_point_is_refused_by_every_command(delta, capsys, tmp_path):
    for command in (["train", "--dataset", "digits", "--arith", "fixed16", "--out", str(tmp_path)],
                    ["check", "fixed-add"], ["rtl", "gen", "fixed-add", "--out", str(tmp_path)]):
        assert main([*command, "--delta", delta]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and ("meaning only with lns" in said or (
            "fixed-add has no option 'delta'" in said))
    assert not list(tmp_path.iterdir())


def test_what_means_something_is_taken_as_the_default():
    assert settings_for({"arith": "lns16", "delta": "lut", "guard": 0}) == settings_for({})
    assert settings_for({"arith": "fixed16", "accumulator": "exact"}).accumulator == "exact"
