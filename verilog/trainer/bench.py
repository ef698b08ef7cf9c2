"""The test bench of a trainer's folder: some steps, judged by the engine's words."""

from __future__ import annotations

from verilog.design.frame import bench_module, verdict
from verilog.trainer.core import Core
from verilog.trainer.plan.cycles import spent
from verilog.trainer.plan.geometry import bits_for
from verilog.trainer.writing.text import vec

__all__ = ["bench", "golden_width"]


def golden_width(core: Core) -> int:
    """Return the bits of a line of golden images: last, label, pixel, and the rate above."""
    return 9 + core.port("i_label").width + (
        core.port("i_rate").width if core.geometry.learning.rated else 0)


def bench(core: Core, pixels: int, words: int, steps: int) -> str:
    """Return the bench: other weights go in, and images that a reset forgets, while a weight is
    offered to a step; then the weights, and so many pixels with gaps, all words being read out
    before the first step. After so many steps, and again after a reset, weights are read out
    with waits and compared. It prints PASS, or the first words that differ, and ends with 0
    or 1."""
    learning = core.geometry.learning
    label = bits_for(learning.sizes[-1] - 1)
    inputs = [p for p in core.top.ports if not p.output]
    declared = [f"  {'wire' if p.output else 'reg'} {vec(p.width)}{p.name};"
                for p in core.top.ports]
    cleared = [f"    {p.name} = 0;" for p in inputs]
    at = 9 + label
    wide = golden_width(core)
    rate = f"        i_rate = images[i][{wide - 1}:{at}];\n" if learning.rated else ""
    patience = 4 * sum(p.cycles for p in spent(core.geometry)) + 4 * pixels + 4000
    text = _TEXT
    for key, value in {
            "PATIENCE": str(patience), "NAME": core.name,
            "LINKS": ", ".join(f".{p.name}({p.name})" for p in core.top.ports),
            "DECLARED": "\n".join(declared), "CLEARED": "\n".join(cleared),
            "PIXELS": str(pixels), "WORDS": str(words), "STEPS": str(steps),
            "WORDV": vec(learning.word_bits), "WORDBITS": str(learning.word_bits),
            "HALF": str(pixels // 2 + 1), "INPUTS": str(learning.sizes[0]),
            "LINE": vec(wide), "LABEL": f"[{at - 1}:9]" if label > 1 else "[9]", "RATE": rate,
            "VERDICT": verdict(f"wrong == 0 && i == {words} && steps == {steps}",
                               '%0d words after %0d steps in %0d clocks", i, steps, clocks',
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
  integer i, k, wrong, steps, quiet, random;  // quiet: cycles in which nothing was taken or done
  integer clocks;  // in which steps run
  reg taken, counts, held, first;
  reg @WORDV@held_word;

  @NAME@ dut (@LINKS@);

  always #5 i_clk = ~i_clk;
  always @(posedge i_clk) begin
    if (o_done === 1'b1 && counts) steps = steps + 1;
    if (o_busy === 1'b1) clocks = clocks + 1;
    quiet = taken === 1'b1 || o_done === 1'b1 ? 0 : quiet + 1;
    if (quiet > @PATIENCE@) begin
      $display("FAIL: it stands still after %0d steps", steps);
      $stop;
    end
    if (counts && ((o_ready ^ o_ready) !== 1'b0 || (o_busy ^ o_busy) !== 1'b0 ||
                   ((o_weight_ready | o_weight_valid) & o_busy) !== 1'b0 ||
                   (o_done & ~o_busy) !== 1'b0)) begin
      if (wrong < 10) $display("ready %b, weights %b %b, busy %b, done %b", o_ready,
                               o_weight_ready, o_weight_valid, o_busy, o_done);
      wrong = wrong + 1;
    end
  end

  // Inputs change at the falling edge; what they meet stands before the rising one.
  initial begin
    $readmemh("golden_images.hex", images);
    $readmemh("weights.hex", before);
    $readmemh("golden_weights.hex", after);
@CLEARED@
    wrong = 0;
    steps = 0;
    quiet = 0;
    taken = 0;
    random = 1;
    counts = 0;
    first = 1;
    restart(4);
    load(1);
    image(@HALF@);
    i_weight_valid = 1;  // in vain while a step runs
    repeat (4) @(negedge i_clk);
    restart(1);
    steps = 0;
    clocks = 0;
    load(0);
    image(@PIXELS@);
    while (steps < @STEPS@ - 1 || !o_busy) @(negedge i_clk);
    read(1);  // asked for while the last step runs
    if (wrong == 0) begin
      restart(1);
      read(1);
    end
@VERDICT@  end

  task restart;
    input integer cycles;
    begin
      i_valid = 0;
      i_weight_valid = 0;
      counts = 0;
      i_rst = 1;
      repeat (cycles) @(negedge i_clk);
      i_rst = 0;
      counts = 1;
    end
  endtask

  // All words, with gaps; other ones if asked for.
  task load;
    input other;
    begin
      for (i = 0; i < @WORDS@; i = i + (taken === 1'b1)) begin
        i_weight_valid = i == 0 || $random(random) % 4 != 0;
        i_weight = i_weight_valid ? before[i] ^ {@WORDBITS@{other}} : {@WORDBITS@{1'bx}};
        #1 taken = o_weight_ready & i_weight_valid;
        @(negedge i_clk);
      end
      i_weight_valid = 0;
      taken = 0;
    end
  endtask

  // So many pixels from the first on, with gaps; the first step waits while words are read.
  task image;
    input integer count;
    begin
      for (i = 0; i < count; i = i + (taken === 1'b1)) begin
        i_valid = $random(random) % 4 != 0;
        i_pixel = i_valid ? images[i][7:0] : 8'hx;
        i_last = images[i][8];
        i_label = images[i]@LABEL@;
@RATE@        #1 taken = i_valid & o_ready;
        @(negedge i_clk);
        if (taken === 1'b1 && i_last && (i + 1) % @INPUTS@ == 0 && first && count == @PIXELS@)
        begin
          i_valid = 0;
          first = 0;
          k = i;
          read(0);
          i = k;
          taken = 1;
        end
      end
      i_valid = 0;
      taken = 0;
    end
  endtask

  // All words, with waits, those after the last step or before the first one.
  task read;
    input trained;
    begin
      i_read = 1;
      @(negedge i_clk);
      i_read = 0;
      held = 0;
      for (i = 0; i < @WORDS@; i = i + (taken === 1'b1)) begin
        i_weight_ready = $random(random) % 4 != 0;
        #1 taken = o_weight_valid & i_weight_ready;
        if (held && (o_weight_valid !== 1'b1 || o_weight !== held_word) ||
            (o_weight_valid & (o_weight_last ^ (i == @WORDS@ - 1))) !== 1'b0) begin
          if (wrong < 10) $display("word %0d: valid %b, last %b, %h", i, o_weight_valid,
                                   o_weight_last, o_weight);
          wrong = wrong + 1;
        end
        if (taken && o_weight !== (trained ? after[i] : before[i])) begin
          if (wrong < 10) $display("word %0d is %h, not %h", i, o_weight,
                                   trained ? after[i] : before[i]);
          wrong = wrong + 1;
        end
        held = o_weight_valid & ~i_weight_ready;
        held_word = o_weight;
        @(negedge i_clk);
      end
      i_weight_ready = 0;
      taken = 0;
    end
  endtask
"""
