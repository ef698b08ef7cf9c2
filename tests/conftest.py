"""Which tests are quick: those of these files, some of every room.

`python -m pytest -m quick` takes under 90 s once kernels are compiled; what is slow
(exhaustive sweeps, proofs, trainings, processes) runs in the whole suite alone.
"""

from pathlib import Path

import pytest

QUICK = """
    test_rooms test_same_results
    fxp/test_circuit fxp/compile/test_defined fxp/arrays/test_exact_numbers fxp/text/test_numbers
    fxp/fit/test_fit_segments
    lnsarith/catalogue/test_catalogue lnsarith/catalogue/test_check
    lnsarith/catalogue/test_array_methods lnsarith/catalogue/test_similarity
    oracles/test_oracle oracles/test_oracle_delta
    nets/settings/test_binary_settings nets/settings/test_settings_given
    nets/data/test_augment nets/data/test_data
    nets/layers/test_binary_layers nets/layers/test_dropout
    nets/network/test_layers_listed nets/network/test_misfits
    nets/train/test_train nets/binary/test_binary_fold
    nets/quantize/test_prune
    verilog/test_design_names verilog/rtl/test_rtl_emit verilog/rtl/test_rtl_prove
    commands/operators/test_check_command
""".split()


def pytest_collection_modifyitems(items):
    home = Path(__file__).parent
    known = {home / f"{name}.py" for name in QUICK}
    assert all(path.exists() for path in known), sorted(p for p in known if not p.exists())
    for item in items:
        if item.path in known:
            item.add_marker(pytest.mark.quick)
