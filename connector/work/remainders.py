"""What is left of a chain whose first write is done: its level has fired, so the rest is not decided afresh.

It goes on, in the next look, if an episode that asked for it still runs, without what a human has changed since
(design section 6).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from adapters.base import Adapter, Note, VendorAction
from connector.store import writes
from connector.store.writes import KeptWrite
from policies.model import Ticket, Who
from policies.plan import Assign, Plan
from policies.rules.episode import live

FIELDS = {
    "assign": ("group", "assignee"),
    "priority": ("priority",),
    "put_back": ("priority",),
}
ADDED = {"tags": ("tags",), "follow": ("followers",)}
"""What an action adds to, and replaces nothing."""


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


def worked_out(connection: Connection, adapter: Adapter, ticket: Ticket, left: Remainder) -> Remainder:
    """What was planned behind a chain without knowing the ticket gets its request now; what holds by now is dropped."""
    goes_on: list[KeptWrite] = []
    dropped = list(left.dropped)
    for kept in left.goes_on:
        if kept.write.request or not kept.write.intent:
            goes_on.append(kept)
            continue
        base = kept.write.key.rpartition(":")[0]
        prepared = adapter.prepare(ticket, kept.write.intent, base).writes
        if prepared:
            write = replace(prepared[0], key=kept.write.key)
            writes.prepared(connection, write)
            goes_on.append(replace(kept, write=write))
        else:
            dropped.append((kept, "it stands by now"))
    return Remainder(goes_on=tuple(goes_on), dropped=tuple(dropped))


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


def without(action: VendorAction, refused: Collection[str], ticket: Ticket) -> VendorAction | None:
    """What is left of an action without these fields; None if nothing is. Where a person cannot have a ticket, its
    group can, unless it has it already."""
    match action:
        case Note():
            return None if ("reply" if action.public else "note") in refused else action
        case Assign() if action.group is not None and "assignee" in refused and "group" not in refused:
            there = ticket.group is not None and ticket.group.id == action.group.id
            return None if there or action.assignee is None else replace(action, assignee=None)
    touched = touched_by(action)
    return None if any(field.partition(":")[0] in touched for field in refused) else action


def touched_by(action: VendorAction) -> tuple[str, ...]:
    """The fields that an action replaces or adds to."""
    return (*fields_of(action), *ADDED.get(action.kind, ()))


def fields_of(action: VendorAction) -> tuple[str, ...]:
    """The fields an action replaces; adding and removing tags, and saying something, replace none."""
    if action.kind == "set":
        return (action.field,)
    return FIELDS.get(action.kind, ())
