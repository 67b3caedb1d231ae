"""Figures as words: `12.5 % (95 %: 3.5 % to 36.0 %)`, `1h30m`. Pure."""

from connector.report.figures import Figure
from policies.durations import spell

NONE = "-"


def percent(value: float | None) -> str:
    """A share as `12.5 %`."""
    return NONE if value is None else f"{value * 100:.1f} %"


def span(seconds: float | None) -> str:
    """A duration, to the minute once it is an hour."""
    if seconds is None:
        return NONE
    whole = round(seconds)
    sign = "-" if whole < 0 else ""
    whole = abs(whole)
    return sign + spell(whole if whole < 3_600 else round(whole / 60) * 60)


def amount(figure: Figure, value: float | None) -> str:
    """A value in the figure's unit."""
    if value is None:
        return NONE
    unit = figure.measure.unit
    if unit == "share":
        return percent(value)
    if unit == "points":
        return f"{value * 100:+.1f} points"
    return span(value) if unit == "seconds" else f"{value:g}" if unit == "count" else f"{value:.2f}"


def value_of(figure: Figure) -> str:
    """The value; for a mean it says so, for what is not stated why."""
    if figure.value is None:
        return f"not told: {figure.untold}" if figure.untold else NONE
    said = amount(figure, figure.value)
    return f"mean {said}" if figure.measure.unit in ("seconds", "levels") else said


def of_what(figure: Figure) -> str:
    """`3 of 12`, or `n = 12`."""
    if figure.measure.unit == "count":
        return ""
    if figure.hits is None:
        return f"n = {figure.n}"
    if figure.clock:
        return f"{span(figure.hits)} of {span(figure.n)}"
    return f"{figure.hits} of {figure.n}"


def interval(figure: Figure) -> str:
    """The 95 % interval of a share, or the percentiles beside a mean."""
    if figure.low is not None and figure.high is not None:
        return f"{amount(figure, figure.low)} to {amount(figure, figure.high)}"
    if figure.p50 is None:
        return ""
    parts = (("p50", figure.p50), ("p90", figure.p90), ("p95", figure.p95))
    return ", ".join(f"{name} {amount(figure, value)}" for name, value in parts)


def left_out(figure: Figure) -> str:
    """What was left out, with how many; then the notes."""
    lost = [f"without {count}: {why}" for why, count in figure.excluded]
    return "; ".join((*lost, *figure.notes))


def name_of(figure: Figure) -> str:
    """The name, with the clock where there is one."""
    return f"{figure.measure.name} ({figure.clock})" if figure.clock else figure.measure.name
