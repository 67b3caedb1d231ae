"""Figures as values, and the little statistics behind them. Pure.

A share carries a Wilson 95 % interval. Percentiles are those of `statistics.quantiles` with `method="inclusive"`:
the smallest and the largest value are the 0th and the 100th percentile, and between values it is linear.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from statistics import NormalDist, fmean, quantiles

from connector.report.measures import MEASURES, Measure

Z = NormalDist().inv_cdf(0.975)
"""Standard deviations of a two-sided 95 % interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number that a report states. `value` is a share from 0 to 1, the mean of `n` values in seconds or levels,
    a count, or a difference of shares; None where there is nothing to state it of, and `untold` then says why.

    `hits` of `n` make a share. `low` and `high` are its 95 % interval. `clock` is empty, `calendar`, or
    `business: NAME`. `excluded` are reasons with how many they left out, `notes` further sentences.
    """

    measure: Measure
    clock: str = ""
    n: int = 0
    hits: int | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    excluded: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()
    untold: str = ""

    @property
    def key(self) -> str:
        """`first_reply`, or on a business calendar `first_reply.business`."""
        return f"{self.measure.key}.business" if self.clock.startswith("business") else self.measure.key


Excluded = Mapping[str, int]


def reasons(excluded: Excluded) -> tuple[tuple[str, int], ...]:
    """The reasons that left anything out."""
    return tuple((why, count) for why, count in excluded.items() if count)


def share(
    key: str, hits: int, n: int, excluded: Excluded | None = None, notes: Iterable[str] = (), least: int = 1
) -> Figure:
    """`hits` of `n`. Of less than `least` it is not stated."""
    known = Figure(
        measure=MEASURES[key],
        n=n,
        hits=hits,
        excluded=reasons(excluded or {}),
        notes=tuple(filter(None, notes)),
    )
    if n < least:
        return replace(known, untold="nothing to measure" if n == 0 else f"fewer than {least}: not shown")
    low, high = wilson(hits, n)
    return replace(known, value=hits / n, low=low, high=high)


def spread(
    key: str,
    values: Sequence[float],
    excluded: Excluded | None = None,
    notes: Iterable[str] = (),
    clock: str = "",
) -> Figure:
    """The mean of some values, with percentiles beside it."""
    known = Figure(
        measure=MEASURES[key],
        clock=clock,
        n=len(values),
        excluded=reasons(excluded or {}),
        notes=tuple(filter(None, notes)),
    )
    if not values:
        return replace(known, untold="nothing to measure")
    p50, p90, p95 = (percentile(values, each) for each in (50, 90, 95))
    return replace(known, value=fmean(values), p50=p50, p90=p90, p95=p95)


def count(key: str, value: int, excluded: Excluded | None = None, notes: Iterable[str] = ()) -> Figure:
    """How many there are."""
    return Figure(
        measure=MEASURES[key],
        n=value,
        value=value,
        excluded=reasons(excluded or {}),
        notes=tuple(filter(None, notes)),
    )


def ratio(key: str, part: float, whole: float, notes: Iterable[str] = ()) -> Figure:
    """A part of a whole that was measured, not counted: it has no interval."""
    known = Figure(measure=MEASURES[key], clock="calendar", n=round(whole), hits=round(part))
    known = replace(known, notes=tuple(filter(None, notes)))
    return replace(known, value=part / whole) if whole else replace(known, untold="nothing to measure")


def difference(key: str, one: Figure, other: Figure) -> Figure:
    """How much larger the first share is, with Newcombe's interval; not stated unless both are."""
    known = Figure(measure=MEASURES[key], n=one.n + other.n)
    bounds = (one.value, one.low, one.high, other.value, other.low, other.high)
    if None in bounds:
        return replace(known, untold="one of the two is not shown")
    p, p_low, p_high, q, q_low, q_high = (float(each or 0) for each in bounds)
    low = p - q - sqrt((p - p_low) ** 2 + (q_high - q) ** 2)
    high = p - q + sqrt((p_high - p) ** 2 + (q - q_low) ** 2)
    return replace(known, value=p - q, low=low, high=high)


def untold(key: str, why: str, clock: str = "") -> Figure:
    """A figure that the data does not allow, and why."""
    return Figure(measure=MEASURES[key], clock=clock, untold=why)


def percentile(values: Sequence[float], percent: int) -> float:
    """The percentile from 1 to 99 of at least one value."""
    if len(values) == 1:
        return values[0]
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of `n`, at least one."""
    p = hits / n
    scale = 1 + Z * Z / n
    centre = (p + Z * Z / (2 * n)) / scale
    half = Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / scale
    return max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half))
