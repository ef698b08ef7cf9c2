"""--prove of lnsarith rtl net and trainer: what a core never does, for any images and words."""

from __future__ import annotations

__all__ = ["add_claims", "proved", "told"]


def add_claims(parser) -> None:
    """Add --prove and how long a search may take."""
    parser.add_argument("--prove", action="store_true",
                        help="show for any images and words what the core never does at its ports "
                        "and memories (a core of a few units); exit 1 if a claim is not proved")
    parser.add_argument("--seconds", metavar="N", default="60",
                        help="limit of each search and question of --prove (default 60)")


def proved(control, seconds: str) -> list[dict]:
    """Return what became of the claims about a core, a `verilog.invariants.claims.Control`."""
    from fxp.text.numbers import real
    from verilog.invariants.claims import prove_claims

    limit = real("seconds", seconds)
    if not 1 <= limit <= 86400:
        raise ValueError(f"seconds must be 1..86400, got {seconds}")
    return [p.as_dict() for p in prove_claims(control, limit)]


def told(proofs: list[dict]) -> list[str]:
    """Return the lines of claims, with a run from a reset for one that does not hold."""
    lines = []
    for p in proofs:
        verdict = p["verdict"] if p["passed"] else f"FAILED ({p['verdict']})"
        lines.append(f"{verdict:16} {p['name']:18} {p['statement']}"
                     + (f" [{p['note']}]" if p["note"] else ""))
        lines += [f"{'':35} {name} = {value & 1}" for name, value in p["counterexample"].items()
                  if value & 1]
    held = sum(p["passed"] for p in proofs)
    return [*lines, f"{held} of {len(proofs)} claims hold for any images and words"]
