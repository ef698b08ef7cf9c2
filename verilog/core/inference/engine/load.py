"""The sequencers of what comes in: pixels, and new weights."""

from __future__ import annotations

from fxp.trace.bits import where
from verilog.core.inference.control import BIT, Sequencer, below, counted, up, within
from verilog.core.inference.schedule import Schedule

__all__ = ["loader", "reloader"]


def loader(s: Schedule) -> Sequencer:
    """Return the sequencer of pixels: image m of a batch goes into bank m % images.

    A pixel is taken, looked up, and written one clock later or, where the bank is written
    from elsewhere (blocked), as soon as it can be. A buffer is full with its last pixel
    written; last, at an image's end, ends a batch with fewer images.
    """
    pixels, batch, words = s.pixels, s.batch, s.layers[0][0]
    top = 2 * words * s.image_slots - 1
    state = {"buffer": BIT, "bank": below(s.images), "slot": below(s.image_slots),
             "pixel": below(pixels), "part": below(s.packed),
             "place": below(top + 1), "image": below(batch),
             "held": BIT, "held_bank": below(s.images), "held_place": below(top + 1),
             "held_end": BIT,
             "held_buffer": BIT, "full_0": BIT, "full_1": BIT, "count_0": below(batch),
             "count_1": below(batch)}
    inputs = {"valid": BIT, "last": BIT, "blocked": BIT, "released": BIT, "reading": BIT}

    def load(buffer, bank, slot, pixel, part, place, image, held, held_bank, held_place, held_end,
             held_buffer, full_0, full_1, count_0, count_1, valid, last, blocked, released,
             reading):
        free = where(buffer, full_1, full_0) ^ 1
        # A buffer whose last pixel is still held is not full yet, but no longer free.
        ending = held & held_end & (held_buffer == buffer)
        ready = free & (ending ^ 1) & ((held & blocked) ^ 1)
        take = valid & ready
        image_ends = take & (pixel == pixels - 1)
        word_ends = image_ends | (take & (part == s.packed - 1))
        ends = image_ends & (last | (image == batch - 1))
        writes = held & (blocked ^ 1)
        filled = writes & held_end
        bank_ends = bank == s.images - 1
        other = words * s.image_slots
        next_slot = where(bank_ends, up(slot, s.image_slots - 1), slot)
        begin = where(ends, where(buffer, 0, other), where(buffer, other, 0) + next_slot)
        following = {
            "buffer": buffer ^ ends,
            "bank": where(ends, 0, counted(bank, s.images - 1, image_ends)),
            "slot": where(ends, 0, where(image_ends, next_slot, slot)),
            "pixel": counted(pixel, pixels - 1, take),
            "part": where(word_ends, 0, where(take, up(part, s.packed - 1), part)),
            "place": where(image_ends, within(begin, top), where(
                word_ends, within(place + s.image_slots, top), place)),
            "image": where(ends, 0, where(image_ends, up(image, batch - 1), image)),
            "held": where(word_ends, 1, held & (writes ^ 1)),
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
        outputs = {"ready": ready, "take": take, "part": part, "write": writes, "bank": held_bank,
                   "place": held_place, "full": where(reading, full_1, full_0),
                   "count": where(reading, count_1, count_0)}
        return following, outputs

    return Sequencer("load", "puts pixels into banks, a buffer for each of two batches", load,
                     state, inputs, ("ready", "take", "part", "write", "bank", "place", "full",
                            "count"))


def reloader(s: Schedule, chunks: int) -> Sequencer:
    """Return the sequencer of new weights: words are taken while no batch runs, and no batch
    begins between the first word and the last.

    Rows of weights come first, then, if chunks is not 0, each output's parameters in so many
    words.
    """
    words = s.row_words
    rows = s.rows
    more = s.places if chunks else 1
    state = {"word": below(max(words, chunks)), "row": below(max(rows, more)),
             "second": BIT, "begun": BIT, "written": below(rows), "kept": below(more)}

    def reload(word, row, second, begun, written, kept, valid, idle, full, whole):
        take = valid & idle
        row_ends = take & (word == where(second, max(0, chunks - 1), words - 1))
        part_ends = row_ends & (row == where(second, more - 1, rows - 1))
        ends = part_ends & (second if chunks else 1)
        following = {"word": where(row_ends, 0, where(take, up(word, max(words, chunks) - 1),
                                                      word)),
                     "row": where(part_ends, 0, where(row_ends, up(row, max(rows, more) - 1),
                                                      row)),
                     "second": second ^ (part_ends if chunks else 0),
                     "begun": where(take, ends ^ 1, begun),
                     "written": counted(written, rows - 1, full),
                     "kept": counted(kept, more - 1, whole)}
        outputs = {"ready": idle, "take": take & (second ^ 1), "take_second": take & second,
                   "written": written, "kept": kept, "loading": valid | begun}
        return following, outputs

    return Sequencer("reload", "takes new weights", reload, state,
                     {"valid": BIT, "idle": BIT, "full": BIT, "whole": BIT},
                     ("ready", "take", "take_second", "written", "kept", "loading"))
