"""The sequencer of steps: layers, tiles, steps, slots."""

from __future__ import annotations

from fxp.trace.bits import where
from verilog.core.inference.control import BIT, Sequencer, below, counted, of_layer, up, within
from verilog.core.inference.schedule import Schedule

__all__ = ["issuer"]


def issuer(s: Schedule) -> Sequencer:
    """Return the sequencer of steps: addresses of weights and activations, and marks.

    A batch starts when its images are there and no weights are being loaded; a layer when
    the words of the one before are written, the last one when the logits before are sent;
    a tile when at most one other waits to be drained.
    """
    count = len(s.layers)
    last_layer = count - 1
    steps = [s.steps(k) - 1 for k in range(count)]
    tiles = [s.tiles(k) - 1 for k in range(count)]
    bases = list(s.regions[:-1])
    second = s.layers[0][0] * s.image_slots
    state = {"run": BIT, "layer": below(count), "tile": below(max(tiles) + 1),
             "step": below(max(steps) + 1),
             "image_slot": below(s.image_slots), "output_slot": below(s.output_slots),
             "row": below(s.rows), "address": below(s.regions[-1]), "buffer": BIT,
             "waiting": below(4)}
    inputs = {"full": BIT, "loading": BIT, "sending": BIT, "drained": BIT}

    def issue(run, layer, tile, step, image_slot, output_slot, row, address, buffer, waiting,
              full, loading, sending, drained):
        at_layer = tile == 0
        batch_begins = at_layer & (layer == 0)
        few = waiting < 2  # rows of two tiles have room
        ready = where(batch_begins, few & full & (loading ^ 1), where(at_layer, waiting == 0, few))
        ready = ready & (where(at_layer & (layer == last_layer), sending, 0) ^ 1)
        start = (run ^ 1) & ready
        row_ends = output_slot == s.output_slots - 1
        step_ends = run & row_ends & (image_slot == s.image_slots - 1)
        tile_ends = step_ends & (step == of_layer("last_step", steps, layer))
        layer_ends = tile_ends & (tile == of_layer("last_tile", tiles, layer))
        batch_ends = layer_ends & (layer == last_layer)
        base = of_layer("base", bases, layer)
        base = where((layer == 0) & buffer, second, base)
        moves = run & row_ends & ((step != 0) | (s.bias ^ 1))
        change = start - drained
        following = {
            "run": where(run, tile_ends ^ 1, start),
            "layer": where(layer_ends, where(batch_ends, 0, up(layer, last_layer)), layer),
            "tile": where(tile_ends, where(layer_ends, 0, up(tile, max(tiles))), tile),
            "step": where(step_ends, where(tile_ends, 0, up(step, max(steps))), step),
            "image_slot": counted(image_slot, s.image_slots - 1, run & row_ends),
            "output_slot": counted(output_slot, s.output_slots - 1, run),
            "row": counted(row, s.rows - 1, step_ends),
            "address": where(start, base, where(moves, up(address, s.regions[-1] - 1), address)),
            "buffer": buffer ^ (layer_ends & (layer == 0)),
            "waiting": within(waiting + change, 3),
        }
        outputs = {"run": run, "layer": layer, "row": row, "address": address,
                   "fresh": run & (output_slot == 0),
                   "first": run & (step == 0), "last": run & (step == of_layer(
                       "last_step", steps, layer)),
                   "released": layer_ends & (layer == 0), "buffer": buffer,
                   "batch": start & batch_begins, "scoring": start & at_layer & (
                       layer == last_layer),
                   "idle": (run ^ 1) & batch_begins}
        return following, outputs

    return Sequencer("issue", "goes through layers, tiles, steps and slots", issue, state, inputs,
                     ("run", "layer", "row", "address", "fresh", "first", "last", "released",
                      "buffer", "batch", "scoring", "idle"))
