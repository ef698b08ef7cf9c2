"""Whether samples are normal: the Kolmogorov-Smirnov test with Lilliefors' limits.

    D = max_i max(i/n - F(x_(i)), F(x_(i)) - (i - 1)/n)

F is the normal distribution with the samples' own mean and deviation, which makes D smaller
than a distribution known beforehand would: the p-values of the plain test do not hold.
The limits are those for estimated parameters, in the approximation of Stephens (1974),
D (sqrt n - .01 + .85 / sqrt n) = .819, .895, 1.035 at 10, 5 and 1 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fxp.format import FormatError

__all__ = ["Normality", "normality"]

LIMITS = {0.10: 0.819, 0.05: 0.895, 0.01: 1.035}


@dataclass(frozen=True)
class Normality:
    """D of samples, and its limits: above one, normality is rejected at that level. They
    hold for independent samples."""

    count: int
    mean: float
    deviation: float
    statistic: float

    @property
    def limits(self) -> dict[float, float]:
        """The limits of D by level."""
        root = math.sqrt(self.count)
        return {level: c / (root - 0.01 + 0.85 / root) for level, c in LIMITS.items()}

    @property
    def level(self) -> float | None:
        """The smallest of the levels at which normality is rejected, None if at none."""
        return min((a for a, limit in self.limits.items() if self.statistic > limit), default=None)

    def as_dict(self) -> dict:
        """Return plain data for JSON."""
        return {"samples": self.count, "mean": self.mean, "deviation": self.deviation,
                "ks": self.statistic, "rejected_at": self.level,
                "lilliefors": {f"{a:g}": limit for a, limit in self.limits.items()}}

    def line(self) -> str:
        """Return a summary."""
        verdict = ("not rejected at 10 %" if self.level is None
                   else f"rejected at {100 * self.level:g} %")
        return (f"{self.count:,} samples, mean {self.mean:.4g}, deviation {self.deviation:.4g}; "
                f"normal: {verdict} (KS D {self.statistic:.4f}, Lilliefors' limit at 5 % "
                f"{self.limits[0.05]:.4f})")


def normality(samples) -> Normality:
    """Test samples, four or more; FormatError for fewer, or where all are equal."""
    from scipy import stats

    x = np.asarray(samples, np.float64).ravel()
    if x.size < 4 or not np.ptp(x) > 0:
        raise FormatError(f"a test takes four samples or more that differ, got {x.size}")
    mean, deviation = float(x.mean()), float(x.std(ddof=1))
    found = stats.kstest(x, "norm", args=(mean, deviation), method="asymp")
    return Normality(x.size, mean, deviation, float(found.statistic))
