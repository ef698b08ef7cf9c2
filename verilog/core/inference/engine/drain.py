"""The sequencers of what goes out: sums to their places, logits and classes to the port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fxp.trace.bits import where
from verilog.core.inference.control import BIT, Sequencer, below, counted, of_layer, up, within
from verilog.core.inference.schedule import Schedule

__all__ = ["Walk", "drainer", "sender", "walked"]


@dataclass(frozen=True)
class Walk:
    """Which walks end with a word of the drain: over a lane's images, a row of sums, the rows
    of an image slot, a tile; and the bank and the lane of the next word."""

    schedule: Schedule
    bank: Any
    row: Any
    group: Any
    tile: Any
    next_bank: Any
    next_lane: Any

    def following(self, rows, row, busy, image_slot, output_slot, take, caught) -> dict:
        """Return what the registers become that walk through a tile: take begins a row,
        caught tells of one more that waits."""
        s = self.schedule
        return {
            "rows": within(rows + caught - take, 2 * s.slots),
            "row": counted(row, 2 * s.slots - 1, take),
            "busy": where(busy, take | (self.row ^ 1), take),
            "final": (self.next_bank == s.images - 1) & (self.next_lane == s.outputs - 1),
            "bank": self.next_bank,
            "lane": self.next_lane,
            "output_slot": counted(output_slot, s.output_slots - 1, self.row),
            "image_slot": counted(image_slot, s.image_slots - 1, self.group),
        }


def walked(s: Schedule, busy, final, bank, lane, image_slot, output_slot) -> Walk:
    """Return the ends at a word: banks are the faster, then lanes, slots of outputs, slots of
    images; final is 1 with a row's last word."""
    bank_ends = busy & (bank == s.images - 1)
    row_ends = busy & (final if s.lanes > 1 else 1)
    next_bank = counted(bank, s.images - 1, busy)
    next_lane = counted(lane, s.outputs - 1, bank_ends)
    group_ends = row_ends & (output_slot == s.output_slots - 1)
    tile_ends = group_ends & (image_slot == s.image_slots - 1)
    return Walk(s, bank_ends, row_ends, group_ends, tile_ends, next_bank, next_lane)


def drainer(s: Schedule) -> Sequencer:
    """Return the sequencer of sums: rows of lanes, as they were caught, word by word; final
    is 1 with a row's last word.

    A word is number `number` of its layer, of image slot and bank; mark `ends` stands at a
    tile's last word, `done` at a batch's.
    """
    count = len(s.layers)
    rows = 2 * s.slots
    tiles = [s.tiles(k) - 1 for k in range(count)]
    sizes = [outputs for _, outputs in s.layers]
    most = max(s.tiles(k) * s.row_words for k in range(count)) - 1
    state = {"rows": below(rows + 1), "row": below(rows), "busy": BIT, "final": BIT,
             "bank": below(s.images), "lane": below(s.outputs), "image_slot": below(s.image_slots),
             "output_slot": below(s.output_slots), "layer": below(count),
             "tile": below(max(tiles) + 1), "tile_number": below(most + 1),
             "row_number": below(most + 1), "number": below(most + 1)}

    def drain(rows, row, busy, final, bank, lane, image_slot, output_slot, layer, tile, tile_number,
              row_number, number, caught):
        walk = walked(s, busy, final, bank, lane, image_slot, output_slot)
        bank_ends, row_ends, group_ends, tile_ends = (
            walk.bank, walk.row, walk.group, walk.tile)
        layer_ends = tile_ends & (tile == of_layer("last_tile", tiles, layer))
        batch_ends = layer_ends & (layer == count - 1)
        take = (rows != 0) & ((busy ^ 1) | row_ends)
        further = within(tile_number + s.row_words, most)
        next_tile = where(layer_ends, 0, further)
        next_row = where(tile_ends, next_tile, where(
            group_ends, tile_number, within(row_number + s.outputs, most)))
        following = {
            **walk.following(rows, row, busy, image_slot, output_slot, take, caught),
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
    places = s.batch * classes
    state = {"phase": below(4), "place": below(places), "image": below(s.batch),
             "number": below(classes), "last_image": below(s.batch), "best": order,
             "class_found": below(classes), "taken": BIT}
    inputs = {"scoring": BIT, "count": below(s.batch), "done": BIT, "ready": BIT, "order": order}

    def send(phase, place, image, number, last_image, best, class_found, taken, scoring, count,
             done, ready, order):
        reads, gives, tells = phase == 1, phase == 2, phase == 3
        moves = gives & ready
        better = (number == 0) | (best < order)
        last_number = number == classes - 1
        over = tells & ready
        all_over = over & (image == last_image)
        after = where(gives, where(last_number, 3, 1), where(image == last_image, 0, 1))
        following = {
            "phase": where(done, 1, where(reads, 2, where(moves | over, after, phase))),
            "place": where(all_over, 0, where(moves, up(place, places - 1), place)),
            "image": where(all_over, 0, where(over, up(image, s.batch - 1), image)),
            "number": where(over, 0, where(moves, up(number, classes - 1), number)),
            "last_image": where(scoring, count, last_image),
            "best": where(moves & better, order, best),
            "class_found": where(moves & better, number, class_found),
            "taken": where(scoring, 1, taken & (all_over ^ 1)),
        }
        outputs = {"read": reads, "place": place, "valid": gives | tells,
                   "tells": tells, "class_found": class_found, "sending": taken}
        return following, outputs

    return Sequencer("send", "gives out logits and classes", send, state, inputs,
                     ("read", "place", "valid", "tells", "class_found", "sending"))
