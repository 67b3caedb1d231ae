"""What is left of a chain whose first write is done: its level has fired, so the rest is not decided afresh.

It goes on, in the next look, if an episode that asked for it still runs, without what a human has changed since
(design section 6).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from adapters.base import VendorAction
from connector.store.writes import KeptWrite
from policies.episodes import live
from policies.model import Ticket, Who
from policies.plan import Plan

FIELDS = {"assign": ("group", "assignee"), "priority": ("priority",), "put_back": ("priority",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remainder:
    """`dropped` are pairs of a write and why it is not sent any more."""

    goes_on: tuple[KeptWrite, ...] = ()
    dropped: tuple[tuple[KeptWrite, str], ...] = ()


def remainder(rest: Iterable[KeptWrite], plan: Plan, ticket: Ticket) -> Remainder:
    """What of the rest is still to be sent after this look."""
    running = {episode.key for each in plan.standings if (episode := live(each)) is not None}
    judged = [(kept, why_not(kept, running, ticket)) for kept in rest]
    return Remainder(
        goes_on=tuple(kept for kept, why in judged if not why),
        dropped=tuple((kept, why) for kept, why in judged if why),
    )


def why_not(kept: KeptWrite, running: set[str], ticket: Ticket) -> str:
    """Why this write is not to be sent any more; empty if it is."""
    if kept.episodes.isdisjoint(running):
        return "its episode has ended meanwhile"
    taken = {name for action in kept.write.intent for name in fields_of(action)}
    by_people = (
        change.field
        for change in ticket.changes
        if change.act.at >= kept.planned_at and change.act.who is Who.AGENT and change.field in taken
    )
    changed = next(by_people, None)
    return f"somebody has set {changed} meanwhile" if changed else ""


def fields_of(action: VendorAction) -> tuple[str, ...]:
    """The fields an action replaces; adding and removing tags, and saying something, replace none."""
    if action.kind == "set":
        return (action.field,)
    return FIELDS.get(action.kind, ())
