"""One ticket told as a story: what happened to it in one order, what comes next, and on whose desk it is and why.

What Uptier said at the helpdesk is told once, by its ledger; what it changed there, by the helpdesk, with the reason
that the ledger has. All of it is read from the store alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection

from connector.console.queries import Row, rows_of_ticket
from connector.console.reader import told_at
from connector.store import accounts, holds, inbox, ledger, tickets, writes
from connector.store.database import Store
from connector.store.episodes import episodes_of
from connector.store.escalated import SOON, State
from connector.store.holds import Hold
from connector.store.ledger import LedgerEntry
from connector.store.tickets import KnownTicket
from connector.work.context import Unforeseeable, foresight
from policies.language.policy import PolicySet
from policies.model import (
    Act,
    Change,
    Directory,
    Instant,
    Message,
    Seconds,
    Ticket,
    TicketRef,
    Value,
    Who,
    _,
    seconds,
)
from policies.present.explain import PolicyTrace, because, traced
from policies.rules.undo import DEESCALATED
from policies.state import Episode, How

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
    lines: Sequence[LedgerEntry],
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
            yield _change(change, names, _("by hand") if by_hand else "")


def _of_ours(
    ticket: Ticket, names: Mapping[str, str], writes: Mapping[str, str], reasons: Mapping[str, str]
) -> Iterator[Moment]:
    for change in ticket.changes:
        if change.act.who is Who.OURS:
            yield _change(change, names, reasons.get(writes.get(change.act.id, ""), ""))


def _silent_ends(lines: Sequence[LedgerEntry], episodes: Sequence[Episode]) -> Iterator[Moment]:
    """An episode in which no level fired ends without a line (rule 4); its beginning has one, and seems to go on."""
    begun = {line.episode for line in lines if line.what == "started"}
    told = {line.episode for line in lines if line.what == "ended"}
    for episode in episodes:
        if episode.ended is not None and episode.key in begun - told:
            why = "; ".join(filter(None, (episode.reason, _("no level had fired"))))
            yield Moment(
                at=episode.ended,
                side="Uptier",
                who="",
                what=f"{_('ended')}: {episode.policy}",
                owner="",
                why=why,
            )


def _reasons(lines: Sequence[LedgerEntry]) -> Mapping[str, str]:
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


def _of_uptier(line: LedgerEntry) -> Moment:
    where = _where(line)
    return Moment(
        at=line.at,
        side="Uptier",
        who="" if line.who == "uptier" else _("for {who}", who=line.who),
        what=f"{_(line.what)}: {where}" if where else _(line.what),
        owner=line.owner or "" if line.what in OWNING else "",
        why="; ".join(filter(None, (line.text, _was_due(line)))),
    )


def _where(line: LedgerEntry) -> str:
    return " / ".join(part for part in (line.policy, line.level) if part)


def _was_due(line: LedgerEntry) -> str:
    due = line.data.get("due")
    return _("it was due {at}", at=told_at(due)) if due else ""


def _said(message: Message) -> str:
    kind = _("said publicly") if message.public else _("noted internally")
    return f"{kind} ({_('automatic')})" if message.auto_reply else kind


def _changed(change: Change, names: Mapping[str, str]) -> str:
    def spelled(value: Value) -> str:
        if isinstance(value, tuple):
            return ", ".join(map(str, value)) or _("none")
        return names.get(str(value), str(value)) if value not in (None, "") else _("none")

    return f"{_(change.field)}: {spelled(change.before)} → {spelled(change.after)}"


def _names(ticket: Ticket, directory: Directory | None) -> dict[str, str]:
    """Names of people and groups by id, as far as they are known."""
    known = {} if directory is None else {group.id: group.name for group in directory.groups}
    people = [] if directory is None else [agent.person for agent in directory.agents]
    people += [person for person in (ticket.requester, ticket.assignee) if person is not None]
    return known | {person.id: person.name or person.address or person.id for person in people}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """On whose desk the ticket is: which level of which policy made them its owner, when, and why. Without a `policy`
    no escalation that runs has given it to anybody; `over` then says how the last one ended, at `at`."""

    owner: str = ""
    policy: str = ""
    level: str = ""
    at: Instant | None = None
    why: str = ""
    over: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """A level that comes, if nobody does anything, and when. Where the policy only `observes`, nothing but a line comes
    of it."""

    policy: str
    level: str
    due: Instant
    observes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What somebody ordered here, and what became of it: `waits` for the next look, or the ledger's word."""

    at: Instant
    who: str
    what: str
    policy: str
    text: str = ""
    waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The page of one ticket. `states` say by policy how each escalation stands; `coming` are the levels ahead, the
    next first; `given` the orders of the last minutes with what became of them, the newest first; `undoable` the keys
    of the episodes and undos that can be taken back."""

    ref: TicketRef
    known: KnownTicket
    desk: Desk
    rows: tuple[Row, ...]
    states: Mapping[str, State]
    coming: tuple[Next, ...]
    timeline: tuple[Moment, ...]
    given: tuple[Given, ...]
    hold: Hold | None
    undoable: tuple[str, ...]


AT_ONCE = 60
"""How many happenings a page tells; the older ones are on further pages."""

KEPT_LINES = 1000
"""As many of a ticket's newest lines of the ledger are told."""

FARTHEST: Seconds = 366 * 86400
"""As far as a look goes ahead."""

ANSWERED_FOR: Seconds = 600
"""How long a page says what became of an order."""

ORDERED = (
    "acknowledged",
    "snoozed",
    "deescalated",
    "escalated",
    "approved",
    "rejected",
    "undone",
    "released",
)
"""What the ledger says of an order that was carried out."""


def ticket_page(connection: Connection, ref: TicketRef, now: Instant) -> Seen | None:
    """All that is known of one ticket, which may be asked for by its number."""
    meant = tickets.meant(connection, ref)
    ref = meant[0] if len(meant) == 1 else ref
    known = tickets.known(connection, ref)
    if known is None:
        return None
    episodes = episodes_of(connection, ref)
    lines = [ledger.in_words(line) for line in ledger.of_ticket(connection, ref, KEPT_LINES)]
    people = accounts.read_directory(connection, ref.account)
    hold = holds.of_ticket(connection, ref)
    rows = rows_of_ticket(connection, ref, [each for each in episodes if each.ended is None])
    return Seen(
        ref=ref,
        known=known,
        desk=desk_of(known, episodes),
        rows=rows,
        states={row.policy: state_of(row, now, is_held=hold is not None) for row in rows},
        coming=coming_of(known, rows, now),
        timeline=timeline(
            known.ticket,
            lines,
            None if people is None else people.directory,
            writes.writes_by_fact(connection, ref),
            episodes,
        ),
        given=given_of(inbox.open_rows(connection, ref), lines, now),
        hold=hold,
        undoable=tuple(
            each.undone or each.key
            for each in episodes
            if each.reason != DEESCALATED and any(level.how is How.FIRED for level in each.passed)
        ),
    )


def desk_of(known: KnownTicket, episodes: Sequence[Episode]) -> Desk:
    """Who has the ticket by an escalation that runs, and by which level of it: of several, the latest that named its
    owner."""
    running = [each for each in episodes if each.ended is None]
    passed = [
        (level.at, place, each.policy, level)
        for each in running
        for place, level in enumerate(each.passed)
        if level.how is How.FIRED and level.owner is not None
    ]
    named = [each for each in passed if each[3].owner and each[3].owner.name == known.owner] or passed
    if named:
        at, _place, policy, level = max(named, key=lambda each: each[:2])
        why = level.why if isinstance(level.why, str) else because(level.why)
        owner = known.owner or (level.owner.name if level.owner else "")
        return Desk(owner=owner, policy=policy, level=level.level, at=at, why=why)
    over = max(
        (each for each in episodes if each.ended is not None), key=lambda each: each.ended or 0, default=None
    )
    if over is None or running:
        return Desk()
    return Desk(at=over.ended, over=f"{over.policy}: {over.reason or _('it is over')}")


def state_of(row: Row, now: Instant, *, is_held: bool) -> State:
    """How one escalation of the ticket stands now."""
    if is_held:
        return "held"
    if row.acknowledged_by:
        return "acknowledged"
    if (row.snoozed_until or 0) > now:
        return "snoozed"
    if row.observed or row.observes:
        return "observed"
    if not row.level:
        return "coming"
    if row.next_due is None:
        return "overdue"
    return "overdue" if row.next_due <= now else "soon" if row.next_due <= now + SOON else "later"


def coming_of(known: KnownTicket, rows: Sequence[Row], now: Instant) -> tuple[Next, ...]:
    """The levels ahead by every policy that runs and that nobody has acknowledged or snoozed, the next first."""
    quiet = {row.policy for row in rows if row.acknowledged_by or (row.snoozed_until or 0) > now}
    running = {row.policy for row in rows} - quiet
    found = (
        Next(
            policy=judged.policy,
            level=level.name,
            due=level.due,
            observes=judged.mode == "observe",
        )
        for judged in known.judged or ()
        if judged.policy in running
        for level in judged.levels
        if level.state == "waiting" and level.due is not None
    )
    return tuple(sorted(found, key=attrgetter("due")))


def given_of(
    open_rows: Sequence[inbox.OpenRow], lines: Sequence[LedgerEntry], now: Instant
) -> tuple[Given, ...]:
    """The orders that wait for a look; then what became of those of the last minutes."""
    waits = [
        Given(
            at=row.order.at, who=row.order.who, what=row.order.verb, policy=row.order.policy or "",
            text=row.order.reason, waits=True,
        )
        for row in open_rows
        if row.order is not None
    ]  # fmt: skip
    done = [
        Given(at=line.at, who=line.who, what=line.what, policy=line.policy, text=line.text)
        for line in lines
        if line.at > now - ANSWERED_FOR
        and (line.what == "order refused" or (line.what in ORDERED and line.who != "uptier"))
    ]
    return (*reversed(waits), *reversed(done))


def happenings(moments: Sequence[Moment]) -> tuple[tuple[Moment, ...], ...]:
    """Moments, the newest first, with those together that one side made within one second."""
    return tuple(tuple(some) for _key, some in groupby(moments, key=attrgetter("at", "side", "who")))


def by_weight(traces: Sequence[PolicyTrace]) -> tuple[tuple[PolicyTrace, ...], tuple[PolicyTrace, ...]]:
    """Policies that run on the ticket or match it, those with a level due or ahead first; and all the rest."""
    matter = sorted((each for each in traces if each.levels or each.holds), key=_weight)
    return tuple(matter), tuple(each for each in traces if not (each.levels or each.holds))


def _weight(trace: PolicyTrace) -> tuple[bool, bool, Instant]:
    ahead = [each.due for each in trace.levels if each.state in ("waiting", "due") and each.due is not None]
    return not trace.levels, not ahead, min(ahead, default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What a look at the ticket would come to `at` a time, if nobody does anything until then: who owns it, and the
    policies that run or match. `why_not` says why nobody can tell. Nothing was `asked` where that is empty."""

    asked: str = ""
    at: Instant | None = None
    owner: str = ""
    policies: tuple[PolicyTrace, ...] = ()
    why_not: str = ""


def ahead(store: Store, policies: PolicySet, ref: TicketRef, asked: str, now: Instant) -> Ahead:
    """What comes of a ticket within the time that is asked for, such as `4h`, by what the last look knows of it: no
    helpdesk is asked."""
    if not asked:
        return Ahead()
    try:
        at = now + min(seconds(asked), FARTHEST)
        seen = foresight(store, None, policies, ref, at, now)
    except (ValueError, Unforeseeable) as error:
        return Ahead(asked=asked, why_not=f"Nobody can tell: {error}.")
    owner = seen.then.owner.name if seen.then.owner else ""
    return Ahead(asked=asked, at=at, owner=owner, policies=by_weight(traced(seen.then))[0])
