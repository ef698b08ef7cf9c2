"""Faults in a trainer's sequencer, drain, memories and ports: its bench catches each.

The bench runs in Icarus, where registers and memories start unknown: what is read before it
was written, or not cleared by a reset, shows as a word that is no number.
"""

import pytest
from helpers.hardware.small_trainer import bench_says, folder_of, training, with_text

from verilog.trainer.package import write_trainer

SETTINGS = {"arith": "lns12", "hidden": (6, 5), "batch": 5, "decay": "level",
            "weight_decay": "0.9", "lr": "2^-3"}

FAULTS = {
    # the sequencer
    "a phase goes on without the drain": ("wire ended = flight == 6'd0 & i_drained;",
                                          "wire ended = 1'b1;"),
    "a phase waits for sums, not for what finishes them": (
        "wire ended = flight == 6'd0 & i_drained;", "wire ended = flight == 6'd0;"),
    "no slots": ("wire last_slot = slot == 1'd1;", "wire last_slot = 1'b1;"),
    "a sum too few": ("wire over = x == xs;", "wire over = x + 6'd1 == xs;"),
    "a step too few": ("wire last_step = step == s_1;", "wire last_step = step + 6'd1 == s_1;"),
    "no new x": ("x <= next_x; y <= next_y;", "x <= x; y <= next_y;"),
    "all images counted as one more": (
        "y_1 <= c_kind == FORWARD ? {{3{1'b0}}, i_rows} - 6'd1 : c_y;",
        "y_1 <= c_kind == FORWARD ? {{3{1'b0}}, i_rows} : c_y;"),
    "the biases not loaded": ("load <= kind == FORWARD & step == 6'd0;", "load <= 1'b0;"),
    "the biases' factor not one": ("one <= kind == UPDATE & x == 6'd0;", "one <= 1'b0;"),
    "the first step adds to the last sum": ("first <= issue & step == 6'd0;", "first <= 1'b0;"),
    "the wrong half of the images": ("first_a <= i_bank ? c_b : c_a;",
                                     "first_a <= i_bank ? c_a : c_b;"),
    "a sum's steps read one scalar": ("a_step <= a_step + as;", "a_step <= a_step;"),
    "backward reads one row of weights": ("w_step : w_step + ws;", "w_step : w_step;"),
    "the word of a row not begun anew": ("        word <= 2'd0;", ""),
    # the drain
    "the last tile as wide as others": ("(last_x ? last_1 : 2'd3)", "2'd3"),
    "images beyond the last": ("images < 6'd4 ? images[1:0] - 2'd1 : 2'd3", "2'd3"),
    "rows written one off": ("if (i_begin) written <= c_w;", "if (i_begin) written <= c_w + 1;"),
    "weights read one off": ("assign o_weights_address = next_weights + (take ? 6'd1 : 6'd0);",
                             "assign o_weights_address = next_weights + 6'd1;"),
    "a row is taken while one is at work": ("wire take = i_any & (~busy | last);",
                                            "wire take = i_any;"),
    "the next group's gradients over the last's": ("wrap ? r_base + rx :", "wrap ? r_base :"),
    "a word of gradients in the wrong lane": ("row_word <= next_word;", "row_word <= 2'd0;"),
    # the lanes
    "the register of a slot is not kept": ("prior = i_first ?", "prior = 1'b1 ?"),
    "sums end a cycle early": (".i_write(ends_2)", ".i_write(ends_1)"),
    "gradients in the bank of another image": ("bank <= bank == 2'd3 ?", "bank <= bank == 2'd2 ?"),
    # the soft-max
    "the first power is added to the last image's": ("if (arrives & first) sum <= term;",
                                                     "if (arrives & first & 1'b0) sum <= term;"),
    "the label of another class": ("wire labelled = second == i_label;",
                                   "wire labelled = second + 2'd1 == i_label;"),
    "the total not begun anew": ("total <= first ?", "total <= first & 1'b0 ?"),
    # images and weights
    "the halves never change": ("fills <= ~fills;", "fills <= fills;"),
    "a batch ends an image early": ("image + 3'd1 == 3'd5", "image + 3'd2 == 3'd5"),
    "an image is not ended by i_last": ("(i_last | ", "(1'b0 & i_last | "),
    "labels of both halves in one place": (" + (fills ? 4'd5 : 4'd0);", " + 4'd0;"),
    "the reset leaves the image": ("    pixel <= 4'd0;\n    address", "    address"),
    "the reset leaves the sequencer": ("    state <= IDLE;\n    phase <= 4'd0;\n    flight",
                                       "    flight"),
    "weights loaded one row off": ("write_address <= address;\n  if (state == IDLE)",
                                   "write_address <= address + 1;\n  if (state == IDLE)"),
    "weights are taken while a step runs": ("else if (i_idle & i_valid) state <= LOAD;",
                                            "else if (i_valid) state <= LOAD;"),
    "a step begins while weights are read": ("& ~host_busy &", "&"),
    "a step begins when weights are asked for": ("& ~i_read &", "&"),
    "decay a step late": ("decayed <= since ==", "decayed <= since + 1 =="),
    # memories
    "a memory that does not write": ("if (i_write) rows[newest] <= i_data;", ""),
    "a queue read one off": ("assign o_data = rows[oldest];", "assign o_data = rows[oldest + 1];"),
}

# Where rows come faster than they are finished, and where there is more than one unit for it.
CROWDED = {"arith": "lns12", "hidden": (1, 16), "batch": 23}
CROWDED_FAULTS = {
    "rows are started without room": ("wire room = flight + 6'd2 <= 6'd15;", "wire room = 1'b1;"),
    "a full queue looks empty": ("flight + 6'd2 <= 6'd15;", "flight + 6'd2 <= 6'd16;"),
}


@pytest.fixture(scope="module")
def right():
    """The trainer without a fault, and its golden words."""
    made = training(SETTINGS, 4, 2)
    return made, made.golden()


def test_the_trainer_without_a_fault_passes(right, tmp_path):
    said, status = bench_says(folder_of(right[0], tmp_path / "tiny"))
    assert status == 0 and "PASS" in said, said


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught(fault, right, tmp_path):
    made, golden = right
    write_trainer(with_text(made.core, *FAULTS[fault]), tmp_path / "tiny", golden, {})
    said, status = bench_says(tmp_path / "tiny")
    assert status != 0 and "FAIL" in said, said


@pytest.mark.parametrize("fault", [None, *CROWDED_FAULTS])
def test_a_fault_of_a_crowded_queue_is_caught(fault, tmp_path):
    made = training(CROWDED, 16, 2)
    core = with_text(made.core, *CROWDED_FAULTS[fault]) if fault else made.core
    write_trainer(core, tmp_path / "tiny", made.golden(), {})
    said, status = bench_says(tmp_path / "tiny")
    assert ("PASS" if fault is None else "FAIL") in said and (status == 0) == (fault is None), said
