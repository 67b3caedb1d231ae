"""What is wrong with a ladder as a whole: levels named twice, or in an order in which some can never fire."""

from collections.abc import Sequence

from policies.model import Seconds
from policies.policy import Level
from policies.table import Table


def check_ladder(levels: Sequence[tuple[Table, Level]]) -> None:
    """Note what only shows when the levels are seen together."""
    check_names(levels)
    if levels and levels[0][1].clock == "since_last_level":
        levels[0][0].report(
            "clock", "no-level-before", "the first level has no level before it to count from."
        )
    check_order(levels)


def check_names(levels: Sequence[tuple[Table, Level]]) -> None:
    """A level is remembered by its name, so it must be the only one of that name in its policy."""
    seen: set[str] = set()
    for table, level in levels:
        if level.name and level.name in seen:
            table.report(
                "name", "duplicate", f'there is a level "{level.name}" above; give this one another name.'
            )
        seen.add(level.name)


def check_order(levels: Sequence[tuple[Table, Level]]) -> None:
    """A level that is due no later than one before it in the file overtakes it (rule 3)."""
    latest: Seconds | None = None
    for table, level in levels:
        place = place_of(level)
        if place is None:
            continue
        if latest is not None and place <= latest:
            key = "after" if level.after is not None else "before"
            text = "the level is due no later than one above it, which it overtakes; sort the levels by time."
            table.report(key, "order", text, "warning")
        latest = place if latest is None else max(latest, place)


def place_of(level: Level) -> Seconds | None:
    """Where the level stands on the policy's clock, a deadline being 0; None where that depends."""
    if level.clock == "since_last_level":
        return None
    if level.after is not None:
        return level.after
    return None if level.before is None else -level.before
