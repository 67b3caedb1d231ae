"""De-escalation: what an episode wrote is put back, part by part, as far as nothing has changed it since (rule 15)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from policies.clocks import HIDDEN, is_part_of
from policies.facts import History
from policies.memory import Episode, Wrote
from policies.model import Directory, Ticket, Value
from policies.plan import Action, Assign, ChangeTags, PutBackPriority, SetField
from policies.view import as_before, keys_of, value_of, with_value

ASSIGNMENT = ("group", "assignee")
PARTS = dict.fromkeys(ASSIGNMENT, "assign")


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """The actions that lead from the ticket as it is to how the episode's writes found it, and the parts that cannot be
    put back, each with the reason."""

    actions: tuple[Action, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


def undone(ticket: Ticket, history: History, episode: Episode, directory: Directory) -> Undone:
    """What is to be put back, on the ticket as it is. What the helpdesk does not show stays as it is."""
    before = as_before(ticket, history, episode, directory)
    for name, value in assignment(ticket, history, episode).items():
        before = with_value(before, name, value, directory)
    hidden = sorted({each.field for each in episode.wrote} & ticket.hidden)
    lost = [(PARTS.get(name, name), f"{name} is {HIDDEN}") for name in hidden]
    if ticket.priority is not None and before.priority is None and "priority" not in hidden:
        lost.append(("priority", "it was missing before, and cannot be made missing again"))
    return Undone(actions=tuple(differences(ticket, before)), left_out=tuple(dict.fromkeys(lost)))


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


def differences(ticket: Ticket, before: Ticket) -> Iterator[Action]:
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
