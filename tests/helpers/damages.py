"""Ways to damage a file: values in JSON, bytes of anything."""

import copy
import json

DEEP = "[" * 100_000
# Texts, so that what no JSON library writes can stand there.
VALUES = ("null", "true", '"\\u0000"', "-1", "1e999", str(2**70), "9" * 5000, "NaN", "[]", "{}",
          '{"a": 1}', "[[1]]", "1.5", '"../../../../dev/zero"', '"' + "y" * 200_000 + '"')


def texts(content):
    """Yield (name, bytes) of damages to any text."""
    yield from (("empty", b""), ("a byte", b"{"), ("no UTF-8", b"\xff\xfe\x00" + content),
                ("half", content[: len(content) // 2]), ("deep", DEEP.encode()),
                ("deeper", b'{"a":' * 100_000), ("a list", b"[]"), ("null", b"null"),
                ("zeros", bytes(len(content))), ("a number", b"9" * 100_000))


def places(tree, path=()):
    """Yield the path of every value below a tree of plain data; of lists, of the first ones."""
    children = (tree.items() if isinstance(tree, dict) else
                enumerate(tree[:2]) if isinstance(tree, list) else ())
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


def trees(tree, every=1):
    """Yield (name, JSON text) of a tree with one value missing, twice, added, or another."""
    count = 0
    for path in places(tree):
        changes = [("missing", None), ("added", None), *(("is " + v[:20], v) for v in VALUES)]
        for what, value in changes:
            count += 1
            if count % every == 0 or what == "missing":
                found = _changed(tree, path, what, value)
                if found is not None:
                    yield f"{'.'.join(map(str, path))} {what}", found
    first = next(iter(tree))
    yield "twice", json.dumps(tree).replace("{", f'{{"{first}": 1, ', 1)


def _changed(tree, path, what, value):
    tree = copy.deepcopy(tree)
    at = tree
    for key in path[:-1]:
        at = at[key]
    if what == "missing":
        del at[path[-1]]
    elif what == "added":
        if not isinstance(at[path[-1]], dict):
            return None
        at[path[-1]]["surprise"] = 1
    else:
        if json.dumps(at[path[-1]]) == value:
            return None
        at[path[-1]] = "@@@"
        return json.dumps(tree).replace('"@@@"', value)
    return json.dumps(tree)


def flipped(content, chance, count):
    """Yield (name, bytes) with a byte changed, or cut somewhere."""
    for _ in range(count):
        at = chance.randrange(len(content))
        changed = bytearray(content)
        changed[at] ^= 1 << chance.randrange(8)
        yield f"byte {at}", bytes(changed)
        yield f"cut at {at}", content[:at]
