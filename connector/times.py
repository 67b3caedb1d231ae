"""Times that a person types, read in this machine's time zone."""

from datetime import datetime

from policies import model
from policies.model import Instant


def moment_asked(text: str, now: Instant) -> Instant:
    """`now`, `+2h`, `-24h`, or a date with a time such as `2026-11-26 14:00`. ValueError says what would do."""
    said = text.strip()
    if said == "now":
        return now
    if said.startswith("+"):
        return now + model.seconds(said[1:])
    if said.startswith("-"):
        return now - model.seconds(said[1:])
    try:
        return int(datetime.fromisoformat(said).astimezone().timestamp())
    except ValueError:
        raise ValueError(f'{text!r} is no time; write "now", "+2h", "-24h" or "2026-11-26 14:00"') from None
