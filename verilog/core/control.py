"""The sequencers of an inference core, as functions of their registers and inputs.

`issuer` goes through layers, tiles, steps and slots; `loader` puts pixels into banks;
`drainer` brings sums, word by word, to their places; `sender` gives logits and classes
out; `reloader` takes new weights. Each returns its registers' ranges, its inputs' and outputs', and the function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fxp.trace.bits import Table, lookup, where
from fxp.trace.circuit import Circuit
from verilog.core.controller import Controller, controller
from verilog.core.schedule import Schedule

__all__ = ["BIT", "Sequencer", "below", "counted", "drainer", "issuer", "loader", "of_layer",
           "reloader", "sender", "up"]

BIT = (0, 1)


@dataclass(frozen=True)
class Sequencer:
    """A sequencer before it is traced."""

    name: str
    summary: str
    function: Callable
    state: Mapping[str, tuple[int, int]]
    inputs: Mapping[str, tuple[int, int]]
    outputs: tuple[str, ...]

    def made(self, prefix: str, circuit: Circuit | None = None) -> Controller:
        """Return the sequencer as a module prefix_name; circuit stands in for its own."""
        return controller(f"{prefix}_{self.name}", self.summary, self.function, self.state,
                          self.inputs, self.outputs, circuit=circuit)


def counted(value, last: int, go=1):
    """Return value + 1, or 0 behind last, where go is 1."""
    return where(go, where(value == last, 0, up(value, last)), value)


def up(value, last: int):
    """Return value + 1, as wide as an index up to last."""
    return within(value + 1, last)


def within(value, last: int):
    """Return a value that is at most last, as wide as that."""
    return value & below(last + 1)[1]


def below(count: int) -> tuple[int, int]:
    """Return the range of the registers that hold an index: all of their bits."""
    return 0, (1 << (count - 1).bit_length()) - 1


def of_layer(name: str, values, layer):
    """Return a constant of the layer."""
    missing = below(len(values))[1] + 1 - len(values)
    return lookup(Table(name, [*values, *[0] * missing]), layer)


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
    state = {"run": BIT, "layer": below(count), "tile": below(max(tiles) + 1), "step": below(max(steps) + 1),
             "image_slot": below(s.image_slots), "output_slot": below(s.output_slots),
             "row": below(s.rows), "address": below(s.regions[-1]), "buffer": BIT,
             "waiting": below(4)}
    inputs = {"full": BIT, "loading": BIT, "sending": BIT, "drained": BIT}

    def issue(run, layer, tile, step, image_slot, output_slot, row, address, buffer, waiting,
              full, loading, sending, drained):
        at_layer = tile == 0
        batch_begins = at_layer & (layer == 0)
        ready = where(batch_begins, full & (loading ^ 1), where(at_layer, waiting == 0,
                                                                waiting < 2))
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
        outputs = {"run": run, "layer": layer, "row": row, "address": address, "fresh": run & (output_slot == 0),
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


def loader(s: Schedule) -> Sequencer:
    """Return the sequencer of pixels: image m of a batch goes into bank m % images.

    A pixel is taken, looked up, and written one clock later or, where the bank is written
    from elsewhere (blocked), as soon as it can be. A buffer is full with its last pixel
    written; last, at an image's end, ends a batch with fewer images.
    """
    pixels, batch = s.layers[0][0], s.batch
    top = 2 * pixels * s.image_slots - 1
    state = {"buffer": BIT, "bank": below(s.images), "slot": below(s.image_slots),
             "pixel": below(pixels), "place": below(top + 1), "image": below(batch),
             "held": BIT, "held_bank": below(s.images), "held_place": below(top + 1), "held_end": BIT,
             "held_buffer": BIT, "full_0": BIT, "full_1": BIT, "count_0": below(batch),
             "count_1": below(batch)}
    inputs = {"valid": BIT, "last": BIT, "blocked": BIT, "released": BIT, "reading": BIT}

    def load(buffer, bank, slot, pixel, place, image, held, held_bank, held_place, held_end,
             held_buffer, full_0, full_1, count_0, count_1, valid, last, blocked, released,
             reading):
        free = where(buffer, full_1, full_0) ^ 1
        # A buffer whose last pixel is still held is not full yet, but no longer free.
        ending = held & held_end & (held_buffer == buffer)
        ready = free & (ending ^ 1) & ((held & blocked) ^ 1)
        take = valid & ready
        image_ends = take & (pixel == pixels - 1)
        ends = image_ends & (last | (image == batch - 1))
        writes = held & (blocked ^ 1)
        filled = writes & held_end
        bank_ends = bank == s.images - 1
        other = pixels * s.image_slots
        next_slot = where(bank_ends, up(slot, s.image_slots - 1), slot)
        begin = where(ends, where(buffer, 0, other), where(buffer, other, 0) + next_slot)
        following = {
            "buffer": buffer ^ ends,
            "bank": where(ends, 0, counted(bank, s.images - 1, image_ends)),
            "slot": where(ends, 0, where(image_ends, next_slot, slot)),
            "pixel": counted(pixel, pixels - 1, take),
            "place": where(image_ends, within(begin, top), where(
                take, within(place + s.image_slots, top), place)),
            "image": where(ends, 0, where(image_ends, up(image, batch - 1), image)),
            "held": where(take, 1, held & (writes ^ 1)),
            "held_bank": where(take, bank, held_bank),
            "held_place": where(take, place, held_place),
            "held_end": where(take, ends, held_end),
            "held_buffer": where(take, buffer, held_buffer),
            "full_0": where(filled & (held_buffer == 0), 1,
                            full_0 & ((released & (reading == 0)) ^ 1)),
            "full_1": where(filled & (held_buffer == 1), 1,
                            full_1 & ((released & (reading == 1)) ^ 1)),
            "count_0": where(ends & (buffer == 0), image, count_0),
            "count_1": where(ends & (buffer == 1), image, count_1),
        }
        outputs = {"ready": ready, "take": take, "write": writes, "bank": held_bank,
                   "place": held_place, "full": where(reading, full_1, full_0),
                   "count": where(reading, count_1, count_0)}
        return following, outputs

    return Sequencer("load", "puts pixels into banks, a buffer for each of two batches", load,
                     state, inputs, ("ready", "take", "write", "bank", "place", "full", "count"))


def reloader(s: Schedule) -> Sequencer:
    """Return the sequencer of new weights: words are taken while no batch runs, and no batch
    begins between the first word and the last."""
    words = s.row_words
    state = {"word": below(words), "row": below(s.rows), "written": below(s.rows), "begun": BIT}

    def reload(word, row, written, begun, valid, idle, full):
        ready = idle
        take = valid & ready
        row_ends = take & (word == words - 1)
        following = {"word": counted(word, words - 1, take),
                     "row": counted(row, s.rows - 1, row_ends),
                     "written": counted(written, s.rows - 1, full),
                     "begun": where(take, (row_ends & (row == s.rows - 1)) ^ 1, begun)}
        outputs = {"ready": ready, "take": take, "written": written, "loading": valid | begun}
        return following, outputs

    return Sequencer("reload", "takes new weights", reload, state,
                     {"valid": BIT, "idle": BIT, "full": BIT},
                     ("ready", "take", "written", "loading"))


def drainer(s: Schedule) -> Sequencer:
    """Return the sequencer of sums: rows of lanes, as they were caught, word by word.

    A word is number `number` of its layer, of image slot and bank; mark `ends` stands at a
    tile's last word, `done` at a batch's.
    """
    count = len(s.layers)
    rows = 2 * s.slots
    tiles = [s.tiles(k) - 1 for k in range(count)]
    sizes = [outputs for _, outputs in s.layers]
    most = max(s.tiles(k) * s.row_words for k in range(count)) - 1
    state = {"rows": below(rows + 1), "row": below(rows), "busy": BIT, "bank": below(s.images),
             "lane": below(s.outputs), "image_slot": below(s.image_slots),
             "output_slot": below(s.output_slots), "layer": below(count),
             "tile": below(max(tiles) + 1), "tile_number": below(most + 1),
             "row_number": below(most + 1), "number": below(most + 1)}

    def drain(rows, row, busy, bank, lane, image_slot, output_slot, layer, tile, tile_number,
              row_number, number, caught):
        bank_ends = busy & (bank == s.images - 1)
        row_ends = bank_ends & (lane == s.outputs - 1)
        group_ends = row_ends & (output_slot == s.output_slots - 1)
        tile_ends = group_ends & (image_slot == s.image_slots - 1)
        layer_ends = tile_ends & (tile == of_layer("last_tile", tiles, layer))
        batch_ends = layer_ends & (layer == count - 1)
        take = (rows != 0) & ((busy ^ 1) | row_ends)
        further = within(tile_number + s.row_words, most)
        next_tile = where(layer_ends, 0, further)
        next_row = where(tile_ends, next_tile, where(
            group_ends, tile_number, within(row_number + s.outputs, most)))
        following = {
            "rows": within(rows + caught - take, 2 * s.slots),
            "row": counted(row, 2 * s.slots - 1, take),
            "busy": where(busy, take | (row_ends ^ 1), take),
            "bank": counted(bank, s.images - 1, busy),
            "lane": counted(lane, s.outputs - 1, bank_ends),
            "output_slot": counted(output_slot, s.output_slots - 1, row_ends),
            "image_slot": counted(image_slot, s.image_slots - 1, group_ends),
            "tile": where(layer_ends, 0, where(tile_ends, up(tile, max(tiles)), tile)),
            "layer": where(batch_ends, 0, where(layer_ends, up(layer, count - 1), layer)),
            "tile_number": where(tile_ends, next_tile, tile_number),
            "row_number": where(row_ends, next_row, row_number),
            "number": where(row_ends, next_row, where(bank_ends, within(number + 1, most),
                                                      number)),
        }
        outputs = {"take": take, "row": row, "busy": busy, "number": number, "bank": bank,
                   "image_slot": image_slot, "layer": layer, "ends": tile_ends,
                   "done": batch_ends,
                   "inside": busy & (number < of_layer("size", sizes, layer))}
        return following, outputs

    return Sequencer("drain", "brings sums to their places, word by word", drain, state,
                     {"caught": BIT}, ("take", "row", "busy", "number", "bank", "image_slot",
                                       "layer", "ends", "done", "inside"))


def sender(s: Schedule, order: tuple[int, int]) -> Sequencer:
    """Return the sequencer of answers: of each image its logits in order, then the class,
    the first of the greatest ones. order is the range of what puts logits in order."""
    classes = s.layers[-1][1]
    state = {"phase": below(4), "image": below(s.batch), "number": below(classes),
             "last_image": below(s.batch), "best": order, "class_found": below(classes),
             "taken": BIT}
    inputs = {"scoring": BIT, "count": below(s.batch), "done": BIT, "ready": BIT, "order": order}

    def send(phase, image, number, last_image, best, class_found, taken, scoring, count, done,
             ready, order):
        reads, gives, tells = phase == 1, phase == 2, phase == 3
        moves = gives & ready
        better = (number == 0) | (best < order)
        last_number = number == classes - 1
        over = tells & ready
        all_over = over & (image == last_image)
        after = where(gives, where(last_number, 3, 1), where(image == last_image, 0, 1))
        following = {
            "phase": where(done, 1, where(reads, 2, where(moves | over, after, phase))),
            "image": where(all_over, 0, where(over, up(image, s.batch - 1), image)),
            "number": where(over, 0, where(moves, up(number, classes - 1), number)),
            "last_image": where(scoring, count, last_image),
            "best": where(moves & better, order, best),
            "class_found": where(moves & better, number, class_found),
            "taken": where(scoring, 1, taken & (all_over ^ 1)),
        }
        outputs = {"read": reads, "image": image, "number": number, "valid": gives | tells,
                   "tells": tells, "class_found": class_found, "sending": taken}
        return following, outputs

    return Sequencer("send", "gives out logits and classes", send, state, inputs,
                     ("read", "image", "number", "valid", "tells", "class_found", "sending"))
