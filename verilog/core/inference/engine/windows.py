"""The sequencers of steps and sums where layers are convolutions, pooled or not.

Of a position that pooling leaves, all tiles of channels run, each at every position of its
window: so the greatest of a window is known when the last of its sums is. Places of
numbers are counted up, never multiplied: `origin` is that of a window's first number.
"""

from __future__ import annotations

from fxp.trace.bits import where
from verilog.core.inference.control import (
    BIT,
    Sequencer,
    below,
    counted,
    of_layer,
    times,
    up,
    within,
)
from verilog.core.inference.engine.drain import walked
from verilog.core.inference.schedule import Schedule

__all__ = ["window_drainer", "window_issuer"]


def window_issuer(s: Schedule) -> Sequencer:
    """Return the sequencer of steps; it waits for what `issuer` waits for."""
    forms, count = s.forms, len(s.forms)
    last_layer = count - 1
    places = s.regions[-1] // s.image_slots
    mask = below(places)[1]
    bases = [r // s.image_slots for r in s.regions[:-1]]
    starts, rows = [], 0
    for k in range(count):
        starts.append(rows)
        rows += s.tiles(k) * s.steps(k)
    tiles = [s.tiles(k) - 1 for k in range(count)]
    line = [f.width * f.channels for f in forms]
    back = [f.pool - 1 for f in forms]
    jumps = {  # how the origin moves, modulo the places
        "right": [f.channels for f in forms],
        "down": [n - b * f.channels for n, b, f in zip(line, back, forms)],
        "again": [-b * (n + f.channels) for n, b, f in zip(line, back, forms)],
        "next": [f.channels - b * n for n, b, f in zip(line, back, forms)],
        "under": [n - (f.pooled[1] * f.pool - 1) * f.channels for n, f in zip(line, forms)]}
    offsets = [-(f.before[0] * n + f.before[1] * f.channels) for n, f in zip(line, forms)]
    most = {"channel": max(f.channels for f in forms), "side": max(f.size for f in forms),
            "pool": max(f.pool for f in forms), "place": max(max(f.out) for f in forms)}
    state = {"run": BIT, "layer": below(count), "tile": below(max(tiles) + 1), "first": BIT,
             "channel": below(most["channel"]), "dx": below(most["side"]),
             "dy": below(most["side"]), "wx": below(most["pool"]), "wy": below(most["pool"]),
             "x": below(most["place"]), "y": below(most["place"]),
             "image_slot": below(s.image_slots), "output_slot": below(s.output_slots),
             "row": below(s.rows), "tile_row": below(s.rows), "place": (0, mask),
             "origin": (0, mask), "buffer": BIT, "waiting": below(4), "begun": BIT}
    inputs = {"full": BIT, "loading": BIT, "sending": BIT, "drained": BIT}

    def constant(name, values, layer):
        return of_layer(name, [v & mask for v in values], layer)

    def ended(value, name, values, layer):
        return value == of_layer(name, values, layer)

    def issue(run, layer, tile, first, channel, dx, dy, wx, wy, x, y, image_slot, output_slot,
              row, tile_row, place, origin, buffer, waiting, begun, full, loading, sending,
              drained):
        at_layer = begun ^ 1
        batch_begins = at_layer & (layer == 0)
        few = waiting < 2  # rows of two tiles have room
        ready = where(batch_begins, few & full & (loading ^ 1), where(at_layer, waiting == 0, few))
        ready = ready & (where(at_layer & (layer == last_layer), sending, 0) ^ 1)
        start = (run ^ 1) & ready
        row_ends = output_slot == s.output_slots - 1
        step_ends = run & row_ends & (image_slot == s.image_slots - 1)
        moves = step_ends & (first ^ 1)
        channel_ends = moves & ended(channel, "channel", [f.channels - 1 for f in forms], layer)
        line_ends = channel_ends & ended(dx, "dx", [f.size - 1 for f in forms], layer)
        tile_ends = line_ends & ended(dy, "dy", [f.size - 1 for f in forms], layer)
        right_ends = tile_ends & ended(wx, "wx", back, layer)
        window_ends = right_ends & ended(wy, "wy", back, layer)
        tiles_end = window_ends & ended(tile, "last_tile", tiles, layer)
        across = tiles_end & ended(x, "x", [f.pooled[1] * f.pool - 1 for f in forms], layer)
        layer_ends = across & ended(y, "y", [f.pooled[0] * f.pool - 1 for f in forms], layer)
        batch_ends = layer_ends & (layer == last_layer)
        base = constant("base", [b + o for b, o in zip(bases, offsets)], layer)
        base = where((layer == 0) & buffer, (forms[0].inputs + offsets[0]) & mask, base)
        jump = where(across, constant("under", jumps["under"], layer), where(
            tiles_end, constant("next", jumps["next"], layer), where(
                window_ends, constant("again", jumps["again"], layer), where(
                    right_ends, constant("down", jumps["down"], layer),
                    constant("right", jumps["right"], layer)))))
        moved = (where(start & at_layer, base, origin) + where(tile_ends, jump, 0)) & mask
        line_jump = constant("line", [n - f.size * f.channels + 1
                                      for n, f in zip(line, forms)], layer)
        pool = of_layer("back", back, layer)
        iy = y + dy - of_layer("top", [f.before[0] for f in forms], layer)
        ix = x + dx - of_layer("left", [f.before[1] for f in forms], layer)
        inside = ((0 <= iy) & (iy < of_layer("height", [f.height for f in forms], layer))
                  & (0 <= ix) & (ix < of_layer("width", [f.width for f in forms], layer)))
        next_row = within(row + 1, s.rows - 1)
        sent = of_layer("start", starts, layer)
        following = {
            "run": where(run, tile_ends ^ 1, start),
            "begun": where(layer_ends, 0, begun | start),
            "layer": where(layer_ends, where(batch_ends, 0, up(layer, last_layer)), layer),
            "tile": where(tiles_end, 0, where(window_ends, up(tile, max(tiles)), tile)),
            "first": where(start, s.bias, where(step_ends, 0, first)),
            "channel": where(channel_ends, 0, where(moves, up(channel, most["channel"] - 1),
                                                    channel)),
            "dx": where(line_ends, 0, where(channel_ends, up(dx, most["side"] - 1), dx)),
            "dy": where(tile_ends, 0, where(line_ends, up(dy, most["side"] - 1), dy)),
            "wx": where(right_ends, 0, where(tile_ends, up(wx, most["pool"] - 1), wx)),
            "wy": where(window_ends, 0, where(right_ends, up(wy, most["pool"] - 1), wy)),
            "x": where(across, 0, where(tiles_end, up(x, most["place"] - 1), where(
                right_ends, within(x - pool, most["place"] - 1),
                where(tile_ends, up(x, most["place"] - 1), x)))),
            "y": where(layer_ends, 0, where(across, up(y, most["place"] - 1), where(
                window_ends, within(y - pool, most["place"] - 1),
                where(right_ends, up(y, most["place"] - 1), y)))),
            "image_slot": counted(image_slot, s.image_slots - 1, run & row_ends),
            "output_slot": counted(output_slot, s.output_slots - 1, run),
            "row": where(batch_ends, 0, where(layer_ends, next_row, where(
                tiles_end, sent, where(window_ends, next_row, where(
                    tile_ends, tile_row, where(step_ends, next_row, row)))))),
            "tile_row": where(start & at_layer, row, where(
                tiles_end, where(layer_ends, next_row, sent),
                where(window_ends, next_row, tile_row))),
            "place": where(start, where(at_layer, base, origin), where(
                line_ends, place + line_jump, where(moves, place + 1, place)) & mask),
            "origin": moved,
            "buffer": buffer ^ (layer_ends & (layer == 0)),
            "waiting": within(waiting + (start - drained), 3),
        }
        opens = run & ((first & 1) if s.bias else (
            (channel == 0) & (dx == 0) & (dy == 0)))
        address = within(times(place, s.image_slots) + image_slot, s.regions[-1] - 1)
        outputs = {"run": run, "layer": layer, "row": row, "address": address,
                   "fresh": run & (output_slot == 0), "first": opens,
                   "last": run & (first ^ 1) & ended(
                       channel, "channel", [f.channels - 1 for f in forms], layer)
                   & ended(dx, "dx", [f.size - 1 for f in forms], layer)
                   & ended(dy, "dy", [f.size - 1 for f in forms], layer),
                   "released": layer_ends & (layer == 0), "buffer": buffer,
                   "batch": start & batch_begins,
                   "scoring": start & at_layer & (layer == last_layer),
                   "idle": (run ^ 1) & batch_begins, "outside": (first | inside) ^ 1}
        return following, outputs

    return Sequencer("issue", "goes through layers, positions, tiles, windows and slots", issue,
                     state, inputs, ("run", "layer", "row", "address", "fresh", "first", "last",
                                     "released", "buffer", "batch", "scoring", "idle",
                                     "outside"))


def window_drainer(s: Schedule) -> Sequencer:
    """Return the sequencer of sums. opens stands where a word is the first of its window, whole
    where it is the last; index counts the sums of a tile, place is the word of a layer to which
    a number comes."""
    forms, count = s.forms, len(s.forms)
    rows, words = 2 * s.slots, s.lanes * s.slots
    tiles = [s.tiles(k) - 1 for k in range(count)]
    most = max(s.tiles(k) * s.row_words for k in range(count)) - 1
    most_position = max(f.positions for f in forms)
    ends = [f.pool**2 - 1 for f in forms]
    top = max(f.positions * s.words(f.outputs) for f in forms) - 1
    state = {"rows": below(rows + 1), "row": below(rows), "busy": BIT, "final": BIT,
             "bank": below(s.images), "lane": below(s.outputs), "image_slot": below(s.image_slots),
             "output_slot": below(s.output_slots), "layer": below(count),
             "tile": below(max(tiles) + 1), "window": below(max(ends) + 1),
             "position": below(most_position), "tile_number": below(most + 1),
             "row_number": below(most + 1), "number": below(most + 1),
             "first_place": below(top + 1), "index": below(words)}

    def drain(rows, row, busy, final, bank, lane, image_slot, output_slot, layer, tile, window,
              position, tile_number, row_number, number, first_place, index, caught):
        walk = walked(s, busy, final, bank, lane, image_slot, output_slot)
        bank_ends, row_ends, group_ends, tile_ends = (
            walk.bank, walk.row, walk.group, walk.tile)
        whole = window == of_layer("last_window", ends, layer)
        window_ends = tile_ends & whole
        tiles_end = window_ends & (tile == of_layer("last_tile", tiles, layer))
        layer_ends = tiles_end & (position == of_layer(
            "last_position", [f.positions - 1 for f in forms], layer))
        batch_ends = layer_ends & (layer == count - 1)
        take = (rows != 0) & ((busy ^ 1) | row_ends)
        further = within(tile_number + s.row_words, most)
        next_tile = where(tiles_end, 0, where(window_ends, further, tile_number))
        next_row = where(tile_ends, next_tile, where(
            group_ends, tile_number, within(row_number + s.outputs, most)))
        outputs_here = of_layer("outputs", [f.outputs for f in forms], layer)
        words_here = outputs_here if s.packed == 1 else of_layer(
            "words", [s.words(f.outputs) for f in forms], layer)
        following = {
            **walk.following(rows, row, busy, image_slot, output_slot, take, caught),
            "window": where(window_ends, 0, where(tile_ends, up(window, max(ends)), window)),
            "tile": where(tiles_end, 0, where(window_ends, up(tile, max(tiles)), tile)),
            "position": where(layer_ends, 0, where(tiles_end, up(position, most_position - 1),
                                                   position)),
            "layer": where(batch_ends, 0, where(layer_ends, up(layer, count - 1), layer)),
            "tile_number": where(tile_ends, next_tile, tile_number),
            "row_number": where(row_ends, next_row, row_number),
            "number": where(row_ends, next_row, where(bank_ends, within(number + 1, most),
                                                      number)),
            "first_place": where(layer_ends, 0, where(
                tiles_end, within(first_place + words_here, top), first_place)),
            "index": where(tile_ends, 0, where(busy, up(index, words - 1), index)),
        }
        outputs = {"take": take, "row": row, "busy": busy, "number": number, "bank": bank,
                   "image_slot": image_slot, "layer": layer, "ends": tile_ends,
                   "done": batch_ends, "inside": busy & whole & (number < outputs_here),
                   "opens": window == 0, "index": index,
                   "place": within(first_place + (number >> (s.packed - 1).bit_length()), top)}
        return following, outputs

    return Sequencer("drain", "brings sums to their places, word by word", drain, state,
                     {"caught": BIT}, ("take", "row", "busy", "number", "bank", "image_slot",
                                       "layer", "ends", "done", "inside", "opens", "index",
                                       "place"))
