"""What an episode wrote itself: hidden from it while it runs (rule 5), put back when it is de-escalated (rule 15)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from itertools import groupby
from typing import Any

from policies.history import History, is_part_of, tags
from policies.language.clocks import HIDDEN
from policies.model import Change, Counts, Directory, Group, Person, Priority, Status, Ticket, Value, Who
from policies.plan import Assign, ChangeTags, PutBack, PutBackPriority, SetField
from policies.state import Episode, Wrote

Values = dict[str, Value]


BLANKS: Mapping[str, Any] = {
    "subject": "",
    "description": "",
    "status": Status.OPEN,
    "status_name": "",
    "tags": frozenset(),
    "created": 0,
    "messages": (),
    "changes": (),
    "targets": (),
    "counts": Counts(),
}
"""What stands in for a value that the helpdesk does not show; nothing else does where it is not named here."""
NAMES = frozenset(each.name for each in fields(Ticket)) - {
    "ref",
    "read_at",
    "revision",
    "updated",
    "loaded",
    "hidden",
}


def with_hidden(ticket: Ticket) -> Ticket:
    """The ticket with nothing in what the helpdesk does not show, whatever an adapter left there."""
    if not ticket.hidden:
        return ticket
    custom = {name: value for name, value in ticket.custom.items() if f"custom.{name}" not in ticket.hidden}
    blank: dict[str, Any] = {name: BLANKS.get(name) for name in ticket.hidden & NAMES}
    return replace(ticket, custom=custom, **blank)


def keys_of(episode: Episode) -> frozenset[str]:
    """The episodes whose writes this one does not see: itself, and those it took over from."""
    return episode.inherits | {episode.key}


def as_before(ticket: Ticket, history: History, episode: Episode, directory: Directory) -> Ticket:
    """The ticket with every hidden write of this episode undone, the latest first: a field holds what was written, and
    nothing but this episode has changed it since. Each tag that was added is hidden, each that was removed shows,
    unless somebody touched that tag since."""
    seen = ticket
    for wrote in reversed(episode.wrote):
        if wrote.field == "tags":
            before, after = tags(wrote.before), tags(wrote.after)
            touched = frozenset[str]()
            for change in foreign(history, episode, wrote):
                touched |= (tags(change.before) ^ tags(change.after)) - own_tags(change, episode)
            hidden, shown = (after - before) - touched, (before - after) - touched
            seen = replace(seen, tags=(seen.tags - hidden) | shown)
        elif value_of(seen, wrote.field) == wrote.after and not foreign(history, episode, wrote):
            seen = with_value(seen, wrote.field, wrote.before, directory)
    return seen


def foreign(history: History, episode: Episode, wrote: Wrote) -> list[Change]:
    """The changes of the field after this write that are not the episode's own, oldest first."""
    own = keys_of(episode)
    changes = list(history.changes(wrote.field))
    exact = [each for each in changes if each.act.id == wrote.fact]
    written = exact or [each for each in changes if is_part_of(each, own, (wrote,))]
    if not written:
        return []
    later = (each for each in changes if each.act.sequence > written[0].act.sequence)
    return [each for each in later if wrote.field == "tags" or not is_part_of(each, own, episode.wrote)]


def own_tags(change: Change, episode: Episode) -> frozenset[str]:
    """The tags of a change that the episode asked for."""
    if change.act.who is not Who.OURS or keys_of(episode).isdisjoint(change.act.episodes):
        return frozenset()
    changed = tags(change.before) ^ tags(change.after)
    wrote = [
        (each.fact, tags(each.before) ^ tags(each.after)) for each in episode.wrote if each.field == "tags"
    ]
    exact = [asked for fact, asked in wrote if fact == change.act.id]
    return frozenset[str]().union(*(exact or (asked & changed for _, asked in wrote)))


def value_of(ticket: Ticket, field: str) -> Value:
    """A field's common value, as `Change` and `Wrote` tell it."""
    if field.startswith("custom."):
        return ticket.custom.get(field.removeprefix("custom."))
    if field == "group":
        return ticket.group.id if ticket.group else None
    if field == "assignee":
        return ticket.assignee.id if ticket.assignee else None
    if field == "priority":
        return ticket.priority
    return ticket.status if field == "status" else None


def with_value(ticket: Ticket, field: str, value: Value, directory: Directory) -> Ticket:
    """The ticket with another value in one field. Solved and closed are never hidden."""
    if field.startswith("custom."):
        return replace(ticket, custom={**ticket.custom, field.removeprefix("custom."): value})
    if field == "group":
        group = next((each for each in directory.groups if each.id == value), None)
        if group is None and value is not None:  # gone from the directory: its id is its name
            group = Group(id=str(value), name=str(value))
        return replace(ticket, group=group)
    if field == "assignee":
        return replace(ticket, assignee=person_of(value, directory))
    if field == "priority":
        return replace(ticket, priority=None if value is None else Priority(str(value)))
    if field == "status" and ticket.status not in (Status.SOLVED, Status.CLOSED):
        return replace(ticket, status=Status(str(value)))
    return ticket


def person_of(ident: Value, directory: Directory) -> Person | None:
    """The person of this id; one who is gone from the directory keeps the id for a name."""
    if ident is None:
        return None
    found = (agent.person for agent in directory.agents if agent.person.id == ident)
    return next(found, Person(id=str(ident), name=str(ident)))


UNDO_TRIES = 3
"""How often restoring what was written is tried before it is left as it is."""

ASSIGNMENT = ("group", "assignee")
PARTS = dict.fromkeys(ASSIGNMENT, "assign")


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """The actions that lead from the ticket as it is to how the episode's writes found it, and the parts that cannot be
    put back, each with the reason; `changed` are those that stay because something else has changed them since."""

    actions: tuple[PutBack, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    changed: tuple[tuple[str, str], ...] = ()


def undone(ticket: Ticket, history: History, episode: Episode, directory: Directory) -> Undone:
    """What is to be put back, on the ticket as it is. What the helpdesk does not show stays as it is."""
    before = as_before(ticket, history, episode, directory)
    for name, value in assignment(ticket, history, episode).items():
        before = with_value(before, name, value, directory)
    hidden = sorted({each.field for each in episode.wrote} & ticket.hidden)
    lost = [(PARTS.get(name, name), f"{name} is {HIDDEN}") for name in hidden]
    if ticket.priority is not None and before.priority is None and "priority" not in hidden:
        lost.append(("priority", "it was missing before, and cannot be made missing again"))
    return Undone(
        actions=tuple(differences(ticket, before)),
        left_out=tuple(dict.fromkeys(lost)),
        changed=tuple(dict.fromkeys(staying(before, episode, frozenset(hidden)))),
    )


CHANGED_SINCE = "changed since"


def staying(before: Ticket, episode: Episode, hidden: frozenset[str]) -> Iterator[tuple[str, str]]:
    """The parts that are not, once `before` is restored, what the episode's writes found, each with the reason."""
    found: dict[str, Value] = {}
    tagged: dict[str, bool] = {}
    for wrote in episode.wrote:
        if wrote.field == "tags":
            old, new = tags(wrote.before), tags(wrote.after)
            for tag in sorted(old ^ new):
                tagged.setdefault(tag, tag in old)
        else:
            found.setdefault(wrote.field, wrote.before)
    for field, value in found.items():
        if field not in hidden and value_of(before, field) != value:
            yield PARTS.get(field, field), CHANGED_SINCE
    stay = [tag for tag, was_there in tagged.items() if (tag in before.tags) is not was_there]
    if stay and "tags" not in hidden:
        yield "tags", f"{CHANGED_SINCE}: {', '.join(stay)}"


def assignment(ticket: Ticket, history: History, episode: Episode) -> dict[str, Value]:
    """Group and assignee as they are to be: one part, which goes back as far as neither was changed by anything
    else."""
    now = {name: value_of(ticket, name) for name in ASSIGNMENT}
    writes = [each for each in episode.wrote if each.field in ASSIGNMENT]
    for _, together in groupby(reversed(writes), key=lambda each: each.fact):
        parts = tuple(together)
        if any(now[each.field] != each.after for each in parts) or is_changed(parts, history, episode):
            break
        now |= {each.field: each.before for each in parts}
    return now


def given_back(ticket: Ticket, history: History, episode: Episode, directory: Directory) -> Assign | None:
    """To whom the ticket was with before this episode assigned it; None if it did not, or something else has changed
    group or assignee since."""
    then = assignment(ticket, history, episode)
    if all(value_of(ticket, name) == value for name, value in then.items()):
        return None
    for name, value in then.items():
        ticket = with_value(ticket, name, value, directory)
    return Assign(group=ticket.group, assignee=ticket.assignee)


def is_changed(parts: tuple[Wrote, ...], history: History, episode: Episode) -> bool:
    """Whether anything but this episode has changed group or assignee since it wrote this."""
    changes = [change for name in ASSIGNMENT for change in history.changes(name)]
    own = keys_of(episode)
    exact = [each.act.sequence for each in changes if each.act.id == parts[0].fact]
    written = exact or [each.act.sequence for each in changes if is_part_of(each, own, parts)]
    if not written:
        return False
    later = (each for each in changes if each.act.sequence > min(written))
    return any(not is_part_of(each, own, episode.wrote) for each in later)


def differences(ticket: Ticket, before: Ticket) -> Iterator[PutBack]:
    """One action for each thing that differs, and shows."""
    if any(value_of(ticket, name) != value_of(before, name) for name in ASSIGNMENT):
        yield Assign(group=before.group, assignee=before.assignee)
    if ticket.priority != before.priority and before.priority is not None:
        yield PutBackPriority(to=before.priority)
    if ticket.tags != before.tags and "tags" not in ticket.hidden:
        yield ChangeTags(add=before.tags - ticket.tags, remove=ticket.tags - before.tags)
    for name, value in before.custom.items():
        if ticket.custom.get(name) != value:
            yield SetField(field=f"custom.{name}", value=value)
