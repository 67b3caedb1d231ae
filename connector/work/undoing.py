"""Undo as it is asked for: which episodes it means, what of them goes back and what stays, the orders that are left
for the tickets' next looks, and the channels that are put right."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from adapters.base import Note
from connector.render import many
from connector.store import accounts, inbox, ledger, notices, tickets, undone, writes
from connector.store.database import Store, advisory_lock
from connector.store.episodes import episodes_of
from connector.store.ledger import LedgerEntry
from connector.store.notices import Notice
from connector.store.standings import standings_of
from connector.store.writes import State
from connector.work.commit import spelled
from policies.model import Directory, Group, Instant, Order, Person, Ticket, TicketRef
from policies.plan import Assign, ChangeTags, PutBack, PutBackPriority, SetField
from policies.rules import undo
from policies.state import Episode, How

LISTED = 40
"""Tickets that a channel is told by name."""


class CannotUndo(Exception):
    """Nothing can be taken back as it was asked; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What an undo does to one ticket, by what is known of it: `goes_back` and `stays` in words, `said` what cannot be
    taken back, `channels` those that heard of it. `key` is the oldest episode, or the undo, that is taken back,
    `written` when the last of it was written. `why_not` says why nothing is done; empty where it is."""

    ref: TicketRef
    number: str
    subject: str
    policy: str
    key: str
    written: Instant
    runs: bool = False
    goes_back: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    why_not: str = ""


def of_one(store: Store, named: str, policy: str | None) -> tuple[Line, ...]:
    """The line for an episode or an undo by its key, or for the last episode of a ticket. Raises CannotUndo."""
    with store.reading() as connection:
        ref = undone.ticket_of(connection, named)
        if ref is None:
            try:
                ref = TicketRef.parse(named)
            except ValueError:
                raise CannotUndo(
                    f"there is no episode {named}; `uptier history ACCOUNT/ID` names them"
                ) from None
            named = _last(connection, ref, policy)
        return (_line(connection, ref, named),)


def _last(connection: Connection, ref: TicketRef, policy: str | None) -> str:
    """The key of the ticket's last episode in which a level was passed, and which is not taken back yet."""
    found = {
        each.policy: each
        for each in episodes_of(connection, ref)
        if policy in (None, each.policy) and undo.has_fired(each) and not undo.taken_back(each)
    }
    if not found:
        raise CannotUndo(f"nothing on {ref} can be undone")
    if len(found) > 1:
        keys = ", ".join(each.key for each in found.values())
        raise CannotUndo(f"several policies escalated {ref}; say which: {keys}")
    return undo.to_undo(next(iter(found.values())))


def of_many(
    store: Store, policy: str, since: Instant, account: str | None = None, *, back: bool = False
) -> tuple[Line, ...]:
    """A line for each ticket on which a level of the policy has fired since then, the latest write first; with `back`,
    for each undo of it since then."""
    with store.reading() as connection:
        meant = dict(undone.undos(connection, policy, since, account)) if back else {}
        if not back:
            for ref, episode in undone.acted(connection, policy, since, account):
                if not undo.taken_back(episode):
                    meant.setdefault(ref, undo.to_undo(episode))
        lines = [_line(connection, ref, key) for ref, key in meant.items()]
    return tuple(sorted(lines, key=_latest_first))


def _latest_first(line: Line) -> tuple[int, str, int, str]:
    """Among those of one instant ids that are numbers go as numbers."""
    return -line.written, line.ref.account, len(line.ref.id), line.ref.id


def _line(connection: Connection, ref: TicketRef, key: str) -> Line:
    past = undone.known(connection, ref)
    found = next((each for each in past if each.key == key), None)
    known = tickets.known(connection, ref)
    if found is None or known is None:
        raise CannotUndo(f"there is no {key}; `uptier history {ref}` names what can be undone")
    standing = next((each for each in standings_of(connection, ref) if each.policy == found.policy), None)
    ordered = undone.is_ordered(connection, ref)
    why_not = "an undo is under way" if ordered else undo.obstacle(key, past, standing) or ""
    ticket, taken = known.ticket, undo.meant(key, past)
    line = Line(
        ref=ref,
        number=ticket.number,
        subject=ticket.subject,
        policy=found.policy,
        key=key,
        written=0,
        why_not=why_not,
    )
    if why_not or not taken:
        return replace(line, why_not=why_not or "nothing is left of it")
    of = undo.together(taken)
    told = _told(connection, ref, of.inherits | _behind(of, past))
    line = replace(
        line,
        written=_written(connection, ref, taken),
        runs=any(each.ended is None for each in taken if not undo.is_undo(each.key)),
        said=told[0],
        channels=told[1],
    )
    if stands := undo.untouchable(ticket):
        return replace(line, stays=(stands,))
    read = accounts.read_directory(connection, ref.account)
    directory = read.directory if read else Directory(account=ref.account)
    back = undo.found_back(ticket, of, directory)
    return replace(
        line,
        goes_back=tuple(words(action, ticket, directory) for action in back.actions),
        stays=tuple(f"{what}: {why}" for what, why in (*back.left_out, *back.changed)),
    )


def _behind(of: Episode, past: Iterable[Episode]) -> frozenset[str]:
    """The episodes that the undo of this key has taken back."""
    return frozenset(each.key for each in past if each.undone and each.undone in of.inherits)


def _written(connection: Connection, ref: TicketRef, taken: Sequence[Episode]) -> Instant:
    """When the last of what they wrote was written."""
    keys = {each.key for each in taken}
    sent = (
        kept.settled_at or kept.planned_at
        for kept in writes.of_ticket(connection, ref)
        if kept.state is State.DONE and keys & kept.episodes
    )
    passed = (level.at for each in taken for level in each.passed if level.how is How.FIRED)
    return max((*sent, *passed), default=0)


def _told(
    connection: Connection, ref: TicketRef, keys: frozenset[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What was said for these episodes on the ticket, in words, and the channels that may have heard of them."""
    said = Counter(
        f'a {"reply" if action.public else "note"} of level "{kept.level}"'
        for kept in writes.of_ticket(connection, ref)
        if kept.state is State.DONE and keys & kept.episodes
        for action in kept.write.intent
        if isinstance(action, Note)
    )
    heard = [
        each.notice.channel
        for each in notices.of_ticket(connection, ref)
        if keys & each.notice.episodes and (each.state is notices.State.SENT or each.attempt)
    ]
    channels = tuple(dict.fromkeys(heard))
    messages = (f"a message to {channel}" for channel in channels)
    return (*(_times(text, count) for text, count in said.items()), *messages), channels


def _times(text: str, count: int) -> str:
    return text if count == 1 else f"{text}, {count} times"


def words(action: PutBack, ticket: Ticket, directory: Directory) -> str:
    """What an action changes, from what to what."""
    match action:
        case Assign():
            return f"{_place(ticket.group, ticket.assignee)} → {_place(action.group, action.assignee)}"
        case PutBackPriority():
            return f"priority {ticket.priority or 'none'} → {action.to}"
        case ChangeTags():
            signed = [
                *(f"-{tag}" for tag in sorted(action.remove)),
                *(f"+{tag}" for tag in sorted(action.add)),
            ]
            return f"tags {' '.join(signed)}"
        case SetField():
            now = ticket.custom.get(action.field.removeprefix("custom."))
            return f"{action.field} {spelled(now, directory)} → {spelled(action.value, directory)}"


def _place(group: Group | None, person: Person | None) -> str:
    return f"{group.name if group else 'no group'} / {person.label if person else 'nobody'}"


# --- asked for -------------------------------------------------------------------------------------------------


def submit(store: Store, lines: Sequence[Line], *, who: str, reason: str, now: Instant) -> int:
    """Leave the orders, the latest write first, and put the channels right, all in one transaction: from then on the
    undo is carried out, by whatever service works on the database, however often anything dies. Answers how many
    tickets that are; one that another undo has got hold of meanwhile is left to it."""
    with store.writing() as connection:
        advisory_lock(connection, "undo")
        taken = undone.under_way(connection)
        meant = [line for line in lines if not line.why_not and line.ref not in taken]
        for place, line in enumerate(meant):
            order = Order(verb="undo", who=who, at=now, reason=reason, policy=line.policy, episode=line.key)
            inbox.give_order(connection, line.ref, order, due=now - len(meant) + place)
            _silence(connection, line, now)
        for notice in corrections(meant, who, reason):
            notices.plan(connection, notice, now)
    return len(meant)


def _silence(connection: Connection, line: Line, now: Instant) -> None:
    """What no channel has heard of what is taken back, none is to hear."""
    past = undone.known(connection, line.ref)
    keys = frozenset(each.key for each in undo.meant(line.key, past))
    unheard = [
        each
        for each in notices.of_ticket(connection, line.ref)
        if each.state is notices.State.WAITING and not each.attempt and each.notice.episodes <= keys
        if each.notice.episodes
    ]
    why = "what it tells of is undone"
    notices.settle_notices(
        connection, [each.notice.key for each in unheard], notices.State.DROPPED, now, error=why
    )
    ledger.append(
        connection,
        [
            LedgerEntry(
                at=now,
                account=line.ref.account,
                ticket=line.ref.id,
                policy=line.policy,
                level=each.notice.level,
                what="not notified",
                text=f"{each.notice.channel}: {why}",
            )
            for each in unheard
        ],
    )


def corrections(lines: Sequence[Line], who: str, reason: str) -> Iterator[Notice]:
    """One message for each channel that heard of what is taken back."""
    for channel in sorted({channel for line in lines for channel in line.channels}):
        told = [line for line in lines if channel in line.channels]
        how_many = f"{len(told)} escalations are" if len(told) > 1 else "1 escalation is"
        again = undo.puts_back(undo.undo_of(told[0].key))
        what = "put back as written, and go no further" if again else "taken back"
        named = [f"{line.ref.named(line.number)} {line.subject}".strip() for line in told[:LISTED]]
        rest = [f"and {len(told) - LISTED} more"] if len(told) > LISTED else []
        body = f"{how_many} {what}, by {who}: {reason}. What was said here of these tickets no longer holds:"
        yield Notice(
            key=f"{undo.undo_of(told[0].key)}:notify:{channel}",
            channel=channel,
            ref=told[0].ref,
            episodes=frozenset(),
            policy=told[0].policy,
            level="",
            title=f"{how_many} {what}",
            body="\n".join([body, *named, *rest]),
        )


# --- in words --------------------------------------------------------------------------------------------------


def preview(lines: Sequence[Line]) -> Iterator[str]:
    """The lines for a person, and what they come to."""
    for line in lines:
        yield f"{line.ref.named(line.number)}  {line.subject}"
        does = "puts back" if undo.puts_back(undo.undo_of(line.key)) else "takes back"
        yield f"  {does} {line.key}{', which ends' if line.runs else ''}"
        if line.why_not:
            yield f"  nothing is done: {line.why_not}"
            continue
        yield from (f"  goes back: {text}" for text in line.goes_back)
        yield from (f"  stays: {text}" for text in line.stays)
        yield from (f"  cannot be taken back: {text}" for text in line.said)
        if not line.goes_back and not line.stays:
            yield "  nothing to put back"
    meant = [line for line in lines if not line.why_not]
    channels = sorted({channel for line in meant for channel in line.channels})
    ends = sum(line.runs for line in meant)
    stay = sum(bool(line.stays) for line in meant)
    passed_over = f", {len(lines) - len(meant)} passed over" if len(meant) < len(lines) else ""
    yield (
        f"{many(len(meant), 'ticket')}, {many(ends, 'running episode')} to end, "
        f"{many(stay, 'ticket')} where something stays{passed_over}. As last seen: each is read again first."
    )
    if channels:
        yield f"One correction goes to: {', '.join(channels)}."
