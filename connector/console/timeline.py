"""What happened to a ticket, in one order: what people said and changed, and what Uptier did.

What Uptier said at the helpdesk is told once, by its ledger; what it changed there, by the helpdesk, with the reason
that the ledger has.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from connector.console.frame import stamp
from connector.store.ledger import Line
from policies.model import Act, Change, Directory, Instant, Message, Ticket, Value, Who
from policies.state import Episode

SIDES: Mapping[Who, str] = {
    Who.CUSTOMER: "customer",
    Who.AGENT: "team",
    Who.AUTOMATION: "automation",
    Who.BOT: "automation",
    Who.OURS: "Uptier",
    Who.UNKNOWN: "somebody",
}


MOVES = ("group", "assignee")
"""Changes that people ask the reason of. A helpdesk keeps none for what was done by hand."""

OWNING = ("fired", "observed", "owner")
"""What makes somebody the owner; other lines only repeat who it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One thing that happened. `side` is customer, team, automation or Uptier; `who` names the person, if that is
    known; `why` is what Uptier says of it. `moves` says that the ticket came to another group or person by it."""

    at: Instant
    side: str
    who: str
    what: str
    owner: str
    why: str
    moves: bool = False


def timeline(
    ticket: Ticket,
    lines: Sequence[Line],
    directory: Directory | None,
    writes: Mapping[str, str],
    episodes: Sequence[Episode],
) -> tuple[Moment, ...]:
    """All of it, the newest first; within one second, in the order each side knows, what Uptier changed after what it
    decided. `writes` are the keys of the writes behind those facts that are ours; `episodes` those of the ticket."""
    names, reasons = _names(ticket, directory), _reasons(lines)
    told = [
        *_of_people(ticket, names),
        *map(_of_uptier, lines),
        *_silent_ends(lines, episodes),
        *_of_ours(ticket, names, writes, reasons),
    ]
    return tuple(sorted(told, key=lambda moment: moment.at)[::-1])


def _of_people(ticket: Ticket, names: Mapping[str, str]) -> Iterator[Moment]:
    for message in ticket.messages:
        if message.act.who is not Who.OURS:
            yield _moment(message.act, _said(message), names)
    for change in ticket.changes:
        if change.act.who is not Who.OURS:
            by_hand = change.field in MOVES and change.act.who is Who.AGENT
            yield _change(change, names, "by hand" if by_hand else "")


def _of_ours(
    ticket: Ticket, names: Mapping[str, str], writes: Mapping[str, str], reasons: Mapping[str, str]
) -> Iterator[Moment]:
    for change in ticket.changes:
        if change.act.who is Who.OURS:
            yield _change(change, names, reasons.get(writes.get(change.act.id, ""), ""))


def _silent_ends(lines: Sequence[Line], episodes: Sequence[Episode]) -> Iterator[Moment]:
    """An episode in which no level fired ends without a line (rule 4); its beginning has one, and seems to go on."""
    begun = {line.episode for line in lines if line.what == "started"}
    told = {line.episode for line in lines if line.what == "ended"}
    for episode in episodes:
        if episode.ended is not None and episode.key in begun - told:
            why = "; ".join(filter(None, (episode.reason, "no level had fired")))
            yield Moment(
                at=episode.ended, side="Uptier", who="", what=f"ended: {episode.policy}", owner="", why=why
            )


def _reasons(lines: Sequence[Line]) -> Mapping[str, str]:
    """Why each write was made, by its key: its level, and why that fired."""
    fired = {(line.episode, line.level): line.text for line in lines if line.what == "fired"}
    made = [line for line in lines if "key" in line.data]
    return {
        line.data["key"]: ": ".join(filter(None, (_where(line), fired.get((line.episode, line.level)))))
        for line in made
    }


def _moment(act: Act, what: str, names: Mapping[str, str]) -> Moment:
    who = "" if act.who is Who.OURS else names.get(act.person or "", "")
    return Moment(at=act.at, side=SIDES[act.who], who=who, what=what, owner="", why="")


def _change(change: Change, names: Mapping[str, str], why: str) -> Moment:
    moment = _moment(change.act, _changed(change, names), names)
    return replace(moment, why=why, moves=change.field in MOVES)


def _of_uptier(line: Line) -> Moment:
    where = _where(line)
    return Moment(
        at=line.at,
        side="Uptier",
        who="" if line.who == "uptier" else f"for {line.who}",
        what=f"{line.what}: {where}" if where else line.what,
        owner=line.owner or "" if line.what in OWNING else "",
        why="; ".join(filter(None, (line.text, _was_due(line)))),
    )


def _where(line: Line) -> str:
    return " / ".join(part for part in (line.policy, line.level) if part)


def _was_due(line: Line) -> str:
    due = line.data.get("due")
    return f"it was due {stamp(due)} UTC" if due else ""


def _said(message: Message) -> str:
    kind = "said publicly" if message.public else "noted internally"
    return f"{kind} (automatic)" if message.auto_reply else kind


def _changed(change: Change, names: Mapping[str, str]) -> str:
    def spelled(value: Value) -> str:
        if isinstance(value, tuple):
            return ", ".join(map(str, value)) or "none"
        return names.get(str(value), str(value)) if value not in (None, "") else "none"

    return f"{change.field}: {spelled(change.before)} → {spelled(change.after)}"


def _names(ticket: Ticket, directory: Directory | None) -> dict[str, str]:
    """Names of people and groups by id, as far as they are known."""
    known = {} if directory is None else {group.id: group.name for group in directory.groups}
    people = [] if directory is None else [agent.person for agent in directory.agents]
    people += [person for person in (ticket.requester, ticket.assignee) if person is not None]
    return known | {person.id: person.name or person.address or person.id for person in people}
