"""Faults of a core's Verilog, one at a time: sequencers, memories, and what joins them."""

import re

# Kinds of change to a line that assigns: what it is called, pattern, what takes its place.
CHANGES = (
    ("another constant", r"== (\d+)'d(\d+)", lambda m: f"== {m[1]}'d{int(m[2]) ^ 1}"),
    ("sides exchanged", r"\? ([\w'\[\]:]+) : ([\w'\[\]:]+)", r"? \2 : \1"),
    ("a condition left out", r"(\w+) & (?=\w)", ""),
    ("counts by two", r"\+ (\d+)'d1;", r"+ \1'd2;"),
    ("never waits", r"~(\w+)", r"\1"),
    ("another order", r"(\w+) < (\w+)", r"\2 < \1"),
)
SEQUENCERS = ("issue", "load", "drain", "send", "reload")


def faults(texts, name="core"):
    """Yield (file, what, text) for the texts of modules by file: each with one fault."""
    for part in SEQUENCERS:
        file = f"{name}_{part}.v"
        yield from _changed(file, texts[file], CHANGES)
        yield from _resets(file, texts[file])
    for file, pattern, instead, what in (
            (f"{name}_bank.v", r"i_write_address\[(\w+)", r"i_read_address[\1",
             "writes where it reads"),
            (f"{name}_bank.v", r"if \(i_read\)", "if (i_write)", "reads when it writes"),
            (f"{name}_weights.v", r"<= i_data", "<= ~i_data", "writes another row"),
            (f"{name}_weights.v", r"if \(i_write", "if (!i_write", "writes when it should not"),
            (f"{name}_sums.v", r"i_read_address\]", "i_write_address]", "reads another row"),
            (f"{name}_gather.v", r"i_word", "~i_word", "gathers another word")):
        text, count = re.subn(pattern, instead, texts[file], count=0)
        assert count, (file, pattern)
        head, _, tail = texts[file].rpartition("module ")
        yield file, what, _last(texts[file], pattern, instead)
    file = f"{name}.v"
    yield from _changed(file, texts[file], CHANGES[:2])
    yield from _delays(file, texts[file])
    yield from _resets(file, texts[file])


def _last(text, pattern, instead):
    """Return the text with the last match changed."""
    match = list(re.finditer(pattern, text))[-1]
    return text[:match.start()] + match.expand(instead) + text[match.end():]


def _changed(file, text, changes):
    """Yield the text with each change at each place in a line that assigns."""
    for line in re.finditer(r"^ +(assign .*;|.* <= .*;|.*\? .*:.*)$", text, re.M):
        if "unused" in line[0]:
            continue
        for what, pattern, instead in changes:
            for match in re.finditer(pattern, line[0]):
                new = instead(match) if callable(instead) else match.expand(instead)
                start, end = line.start() + match.start(), line.start() + match.end()
                if text[start:end] != new:
                    yield file, f"{what}: {line[0].strip()}", text[:start] + new + text[end:]


def _resets(file, text):
    """Yield the text with each register left out of the reset."""
    for match in re.finditer(r"if\(i_rst\) begin\n(.*?)end", text, re.S):
        for line in re.finditer(r"^ +(\w+) <= .*;\n", match[1], re.M):
            start = match.start(1) + line.start()
            end = match.start(1) + line.end()
            yield file, f"{line[1]} is not reset", text[:start] + text[end:]


def _delays(file, text):
    """Yield the text with each delay one clock shorter."""
    for match in re.finditer(r"^ +(\w+_d)(\d+) <= \1(\d+);$", text, re.M):
        before = int(match[3]) - 1
        source = f"{match[1]}{before}" if before else None
        if source and f" {source};" in text:
            new = match[0].replace(f"<= {match[1]}{match[3]}", f"<= {source}")
            yield file, f"early: {match[0].strip()}", (
                text[:match.start()] + new + text[match.end():])
