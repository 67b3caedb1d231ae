"""Durations as policies write them: `1h30m`. Days are 24 hours; on a calendar they have no meaning."""

import re

from policies.model import Seconds

UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
SHAPE = re.compile(r"(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?")
LONGEST = 3_660 * UNITS["d"]
LONGEST_TEXT = 60
"""Characters; more are no number that could be meant."""


def seconds(text: str) -> Seconds:
    """Read `90s`, `30m`, `1h30m`, `2d`: units once each, largest first. ValueError says what is wrong."""
    if len(text) > LONGEST_TEXT:
        raise ValueError(
            f'"{text[:LONGEST_TEXT]}…" is too long for a duration; write for example "30m" or "2d"'
        )
    match = SHAPE.fullmatch(text)
    if not text or match is None:
        raise ValueError(f'"{text}" is not a duration; write for example "30m", "1h30m" or "2d"')
    total = sum(int(count) * UNITS[unit] for unit, count in match.groupdict().items() if count)
    if total > LONGEST:
        raise ValueError(f'"{text}" is longer than ten years; write a shorter duration')
    return total


def says_days(text: str) -> bool:
    """Whether the text counts in days, which a calendar cannot."""
    return "d" in text


def spell(span: Seconds) -> str:
    """Write a span the way `seconds` reads it: hours, minutes and seconds, `0m` for none. Between hours and seconds the
    minutes stand also where there are none: `9h0m34s` is not taken for `9h34m`."""
    hours, rest = divmod(span, 3_600)
    minutes, left = divmod(rest, 60)
    between = minutes or (hours and left)
    parts = (f"{hours}h" if hours else "", f"{minutes}m" if between else "", f"{left}s" if left else "")
    return "".join(parts) or "0m"
