"""What the reports of comparing a design with its model share."""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["Comparison"]


@dataclass(frozen=True)
class Comparison:
    """Answers of a design against its model.

    compared counts answers; wrong of them differ, and `mismatches` tells the first
    with inputs (where each word has its answer), expected and got. faults are
    breaches of the handshake, answers without a word, words without an answer.
    """

    design: str
    simulator: str
    vectors: int
    compared: int
    wrong: int
    mismatches: tuple[dict, ...]
    faults: tuple[str, ...]
    seconds_run: float
    seed: int

    @property
    def equal(self) -> bool:
        """Whether every answer was right and came as it should."""
        return not self.wrong and not self.faults

    @property
    def vectors_per_second(self) -> float:
        return self.vectors / max(self.seconds_run, 1e-6)

    def as_dict(self) -> dict:
        """Return plain data for JSON."""
        return {**asdict(self), "equal": self.equal,
                "vectors_per_second": round(self.vectors_per_second)}
