"""The test bench of a trainer's folder: some steps, judged by the engine's words."""

from __future__ import annotations

from verilog.design.frame import bench_module, verdict
from verilog.trainer.core import Core
from verilog.trainer.cycles import spent
from verilog.trainer.geometry import bits_for
from verilog.trainer.text import vec

__all__ = ["bench", "golden_width"]


def golden_width(core: Core) -> int:
    """Return the bits of a line of golden images: last, label, pixel, and the rate above."""
    return 9 + core.port("i_label").width + (
        core.port("i_rate").width if core.geometry.learning.rated else 0)


def bench(core: Core, pixels: int, words: int, steps: int) -> str:
    """Return the bench: weights go in, so many pixels come with gaps, after so many steps weights
    are read out and compared. It prints PASS, or the first words that differ, and ends with 0 or
    1."""
    learning = core.geometry.learning
    label = bits_for(learning.sizes[-1] - 1)
    inputs = [p for p in core.top.ports if not p.output]
    declared = [f"  {'wire' if p.output else 'reg'} {vec(p.width)}{p.name};"
                for p in core.top.ports]
    cleared = [f"    {p.name} = 0;" for p in inputs]
    at = 9 + label
    wide = golden_width(core)
    rate = f"      i_rate = images[i][{wide - 1}:{at}];\n" if learning.rated else ""
    patience = 4 * sum(p.cycles for p in spent(core.geometry)) + 4 * pixels + 4000
    text = _TEXT
    for key, value in {
            "PATIENCE": str(patience), "NAME": core.name,
            "LINKS": ", ".join(f".{p.name}({p.name})" for p in core.top.ports),
            "DECLARED": "\n".join(declared), "CLEARED": "\n".join(cleared),
            "PIXELS": str(pixels), "WORDS": str(words), "STEPS": str(steps),
            "WORDV": vec(learning.word_bits),
            "LINE": vec(wide), "LABEL": f"[{at - 1}:9]" if label > 1 else "[9]", "RATE": rate,
            "VERDICT": verdict(f"wrong == 0 && i == {words} && steps == {steps}",
                               '%0d words after %0d steps", i, steps',
                               '%0d of %0d words differ after %0d steps", wrong, i, steps'),
            }.items():
        text = text.replace(f"@{key}@", value)
    return bench_module(core.name, f"Trains {core.name} for some steps and compares all weights "
                        "with the engine's.", text)


_TEXT = """\
@DECLARED@
  reg @LINE@images [0:@PIXELS@ - 1];
  reg @WORDV@before [0:@WORDS@ - 1];
  reg @WORDV@after [0:@WORDS@ - 1];
  integer i, wrong, steps, quiet, random;  // quiet: cycles in which nothing was taken or done
  reg taken;

  @NAME@ dut (@LINKS@);

  always #5 i_clk = ~i_clk;
  always @(posedge i_clk) begin
    if (o_done === 1'b1) steps = steps + 1;
    quiet = taken === 1'b1 || o_done === 1'b1 ? 0 : quiet + 1;
    if (quiet > @PATIENCE@) begin
      $display("FAIL: it stands still after %0d steps", steps);
      $stop;
    end
  end

  // Inputs change at the falling edge; what they meet stands before the rising one.
  initial begin
    $readmemh("golden_images.hex", images);
    $readmemh("weights.hex", before);
    $readmemh("golden_weights.hex", after);
@CLEARED@
    i_rst = 1;
    wrong = 0;
    steps = 0;
    quiet = 0;
    taken = 0;
    random = 1;
    repeat (4) @(negedge i_clk);
    i_rst = 0;
    i_weight_valid = 1;
    for (i = 0; i < @WORDS@; i = i + (taken === 1'b1)) begin
      i_weight = before[i];
      #1 taken = o_weight_ready;
      @(negedge i_clk);
    end
    i_weight_valid = 0;
    for (i = 0; i < @PIXELS@; i = i + (taken === 1'b1)) begin
      i_valid = $random(random) % 4 != 0;
      i_pixel = images[i][7:0];
      i_last = images[i][8];
      i_label = images[i]@LABEL@;
@RATE@      #1 taken = i_valid & o_ready;
      @(negedge i_clk);
    end
    i_valid = 0;
    taken = 0;
    while (steps < @STEPS@) @(negedge i_clk);
    i_read = 1;
    @(negedge i_clk);
    i_read = 0;
    for (i = 0; i < @WORDS@; i = i + (taken === 1'b1)) begin
      i_weight_ready = $random(random) % 4 != 0;
      #1 taken = o_weight_valid & i_weight_ready;
      if (taken && o_weight !== after[i]) begin
        if (wrong < 10) $display("word %0d is %h, not %h", i, o_weight, after[i]);
        wrong = wrong + 1;
      end
      @(negedge i_clk);
    end
@VERDICT@  end
"""
