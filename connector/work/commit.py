"""From a plan to what is stored of it in one transaction: requests and texts, facts, standings, timer,
ledger lines."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection

from adapters.base import ActionKind, Adapter, Note, NotTaken, Receipt, RefusedPart, VendorAction, Write
from connector.store import accounts, holds, inbox, ledger, notices, tickets, writes
from connector.store.holds import Hold
from connector.store.ledger import Line
from connector.store.notices import Notice
from connector.store.writes import KeptWrite, State
from connector.work.messages import announce, render
from policies.language.policy import PolicySet
from policies.model import Directory, Instant, Order, Seconds, Status, Ticket, TicketRef
from policies.plan import Notify, Occurrence, Plan, Say, SetField, Wanted
from policies.rules.episode import live
from policies.rules.ladder import untimed
from policies.rules.outcomes import Outcome, settle
from policies.state import Episode, Standing

BETWEEN_NOTES = "\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chained:
    """A write of this plan, the episodes it is made for, and the level that the first of them is at."""

    write: Write
    episodes: frozenset[str]
    policy: str
    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intents:
    """The writes of one plan in sending order, and what the helpdesk cannot do of it.

    `unsent` are the episodes that wanted something of which nothing is left to send: it holds already. `notices`
    go to channels outside the helpdesk, in no order with the writes.
    """

    chain: tuple[Chained, ...] = ()
    left_out: tuple[str, ...] = ()
    unsent: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()


def prepare(adapter: Adapter, ticket: Ticket, plan: Plan, policies: PolicySet) -> Intents:
    """The fewest requests for what the plan wants. What the vendor cannot do is named, never sent."""
    under_way = levels_under_way(plan)
    notices = tuple(notices_of(ticket, plan, under_way, policies))
    for_helpdesk = [wanted for wanted in plan.wanted if not isinstance(wanted.action, Notify)]
    able = [wanted for wanted in for_helpdesk if kind_of(wanted) in adapter.capabilities.actions]
    unable = tuple(
        f"{adapter.name} cannot do this: {kind_of(wanted)}" for wanted in for_helpdesk if wanted not in able
    )
    if not able:
        return Intents(left_out=unable, unsent=tuple(under_way), notices=notices)
    policy, level, key = named(able[0], under_way, plan)
    prepared = adapter.prepare(ticket, tuple(rendered(able, ticket, policies)), key)
    episodes = frozenset(episode for wanted in able for episode in wanted.episodes)
    chain = tuple(
        Chained(write=write, episodes=episodes, policy=policy, level=level) for write in prepared.writes
    )
    left_over = () if chain else tuple(under_way)
    return Intents(chain=chain, left_out=(*unable, *prepared.gaps), unsent=left_over, notices=notices)


def notices_of(
    ticket: Ticket, plan: Plan, under_way: dict[str, tuple[str, str]], policies: PolicySet
) -> Iterator[Notice]:
    """What the plan has channels hear, worded, each with the key that keeps it from being said twice."""
    for wanted in plan.wanted:
        if isinstance(wanted.action, Notify):
            policy, level, key = named(wanted, under_way, plan)
            title, body = announce(wanted.action, ticket, policies)
            yield Notice(
                key=f"{key}:notify:{wanted.action.channel}",
                channel=wanted.action.channel,
                ref=ticket.ref,
                episodes=frozenset(wanted.episodes),
                policy=policy,
                level=level,
                title=title,
                body=body,
            )


def levels_under_way(plan: Plan) -> dict[str, tuple[str, str]]:
    """By episode, the policy and the level that this plan is to carry out."""
    return {
        one.episode.key: (one.policy, one.episode.under_way.level)
        for one in plan.standings
        if one.episode is not None and one.episode.under_way is not None
    }


def named(wanted: Wanted, under_way: dict[str, tuple[str, str]], plan: Plan) -> tuple[str, str, str]:
    """Policy, level and key of the plan's writes, by the first episode that asked for any of them. A repeat
    is not under way; it is told from the firing by how often it was said before. Nor is a level that only notifies."""
    episode = wanted.episodes[0]
    if episode in under_way:
        policy, level = under_way[episode]
        return policy, level, f"{episode}:{level}"
    running = next(one.episode for one in plan.standings if one.episode and one.episode.key == episode)
    if running.undoing:
        return running.policy, "", f"{episode}:de-escalated-{running.undoing}"
    asked = next((each.level for each in plan.occurrences if is_question(each, episode)), None)
    if asked is not None:
        return running.policy, asked, f"{episode}:{asked}:approval"
    level = running.passed[-1].level if running.passed else ""
    again = f":again-{running.repeated}" if running.repeated else ""
    return running.policy, level, f"{episode}:{level}{again}"


def is_question(occurrence: Occurrence, episode: str) -> bool:
    """Whether this episode asks for approval in this plan."""
    return occurrence.what == "approval asked" and occurrence.episode == episode


def kind_of(wanted: Wanted) -> ActionKind | None:
    """What a vendor calls this action among its capabilities; None for what never goes to a helpdesk."""
    action = wanted.action
    if isinstance(action, Notify):
        return None
    if isinstance(action, Say):
        return "reply" if action.public else "note"
    return action.kind


def rendered(able: Iterable[Wanted], ticket: Ticket, policies: PolicySet) -> Iterator[VendorAction]:
    """The actions with their texts; all notes of a plan become one (rule 6), before any reply."""
    notes: list[str] = []
    replies: list[Note] = []
    for wanted in able:
        action = wanted.action
        if isinstance(action, Say):
            note = render(action, ticket, policies)
            if note.public:
                replies.append(note)
            else:
                notes.append(note.body)
        elif not isinstance(action, Notify):
            yield action
    if notes:
        yield Note(public=False, body=BETWEEN_NOTES.join(notes))
    yield from replies


def line_of(ref: TicketRef, occurrence: Occurrence, remembered: Iterable[Standing]) -> Line:
    """The ledger's line for an occurrence; the policy text's hash is that of the episode."""
    running = {one.episode.key: one.episode for one in remembered if one.episode is not None}
    episode = running.get(occurrence.episode)
    return Line(
        at=occurrence.at,
        account=ref.account,
        ticket=ref.id,
        what=occurrence.what,
        policy=occurrence.policy,
        episode=occurrence.episode,
        level=occurrence.level,
        owner=occurrence.owner,
        who=occurrence.who,
        text=occurrence.text,
        policy_hash=episode.policy_hash if episode else "",
        data=lateness(occurrence, episode),
    )


def lateness(occurrence: Occurrence, episode: Episode | None) -> dict[str, int]:
    """When a level was due, and how many seconds after that it was decided. Nothing where something else than Uptier
    decided when it fired: a person, or a condition that came to hold after the level's time."""
    if occurrence.what not in ("fired", "observed") or episode is None:
        return {}
    passed = next((each for each in reversed(episode.passed) if each.level == occurrence.level), None)
    if passed is None or passed.due is None or untimed(episode, passed):
        return {}
    return {"due": passed.due, "late": max(passed.at - passed.due, 0)}


WORDS: dict[State, str] = {
    State.DONE: "written",
    State.REFUSED: "write refused",
    State.STALE: "write dropped",
    State.UNKNOWN: "write unknown",
}
NAMES = {"assign": "assignment", "put_back": "priority put back", "follow": "follower"}


def name_of(action: VendorAction) -> str:
    """What the action writes, by its own name."""
    match action:
        case Note():
            return "reply" if action.public else "note"
        case SetField():
            return f"field {action.field}"
    return NAMES.get(action.kind, action.kind)


def line_about(kept: KeptWrite, state: State, text: str, receipt: Receipt | None, now: Instant) -> Line:
    """The ledger's line for a write that ended so, with what the helpdesk remarked."""
    remarks = receipt.remarks if receipt else ()
    named = text or "; ".join(name_of(action) for action in kept.write.intent)
    told = (f"the helpdesk remarks: {remark}" for remark in remarks)
    data = {"key": kept.write.key, "attempt": kept.attempt, "tries": kept.tries, "remarks": list(remarks)}
    return _of_write(kept, WORDS[state], "; ".join([named, *told]), now, data)


def refused_lines(kept: KeptWrite, parts: Iterable[RefusedPart], now: Instant) -> list[Line]:
    """One line for each part that the helpdesk named as refused, with its own name and words for it."""
    return [
        _of_write(
            kept,
            "part refused",
            f"{part.field or 'something else'} ({part.vendor_field}): {part.text}",
            now,
            {"key": kept.write.key} | asdict(part),
        )
        for part in parts
    ]


def untaken_lines(kept: KeptWrite, receipt: Receipt, directory: Directory | None, now: Instant) -> list[Line]:
    """One line for each part that the helpdesk answered with success and did not do."""
    return [
        _of_write(kept, "not taken", untaken(part, directory), now, {"key": kept.write.key} | asdict(part))
        for part in receipt.not_taken
    ]


def untaken(part: NotTaken, directory: Directory | None) -> str:
    """What was wanted and what stands, for a person."""
    wanted, found = spelled(part.wanted, directory), spelled(part.found, directory)
    return "; ".join(filter(None, (f"{part.field} is {found} after the write, not {wanted}", part.why)))


def partly_line(kept: KeptWrite, lacks: Iterable[str], now: Instant) -> Line:
    """The line that says how the level came out where not all of it stands."""
    return _of_write(kept, "partly", f"without {', '.join(sorted(set(lacks)))}", now, {"key": kept.write.key})


def spelled(value: object, directory: Directory | None) -> str:
    """A common value for a person: groups and people by their names."""
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(sorted(spelled(each, directory) for each in value)) or "empty"
    if value is None or value == "":
        return "empty"
    groups = directory.groups if directory else ()
    people = [agent.person for agent in directory.agents] if directory else []
    names = {each.id: each.name for each in groups} | {each.id: each.label for each in people}
    return names.get(str(value), str(value))


def _of_write(kept: KeptWrite, what: str, text: str, now: Instant, data: dict[str, Any]) -> Line:
    ref = kept.write.ref
    return Line(
        at=now,
        account=ref.account,
        ticket=ref.id,
        policy=kept.policy,
        episode=min(kept.episodes, default=""),
        level=kept.level,
        what=what,
        text=text,
        data=data,
    )


HISTORIES = frozenset({"messages", "changes", "targets"})
"""What a helpdesk may not show of a ticket for a while."""


def keep_look(
    connection: Connection,
    ticket: Ticket,
    plan: Plan,
    intents: Intents,
    rows: Sequence[int],
    policy_hash: str,
    settle_seconds: Seconds,
    dropped: Sequence[tuple[KeptWrite, str]] = (),
) -> tuple[KeptWrite, ...]:
    """Store a look and what it decided; answers the writes to send, in order, what is left of older chains
    first. `dropped` of those are not sent any more."""
    ref = ticket.ref
    nothing_sent = Outcome(key="", episodes=intents.unsent, result="done", at=plan.now)
    remembered, more = settle(plan.standings, nothing_sent)
    tickets.remember_standings(connection, ref, remembered)
    tickets.keep_episodes(connection, ref, plan.ended)
    for group, person in plan.served:
        accounts.note_served(connection, ref.account, group, person, plan.now)
    ledger.append(connection, _lines(connection, plan, (*plan.occurrences, *more), intents))
    for kept, why in dropped:
        writes.drop(connection, kept.write.key, why, plan.now)
    ledger.append(connection, [line_about(kept, State.STALE, why, None, plan.now) for kept, why in dropped])
    _keep_writes(connection, intents, plan.now)
    for notice in intents.notices:
        notices.plan(connection, notice, plan.now)
    newest = _keep_facts(connection, ticket, plan, policy_hash, settle_seconds)
    inbox.close(connection, rows, plan.now)
    holds.drop(connection, ref, over=all(live(one) is None for one in plan.standings))
    waiting = writes.waiting(connection, ref, plan.now).values()
    tries = [kept.next_try for kept in waiting if kept.state is State.PLANNED]
    failed = [
        holds.aside_of(connection, ref.account, ref.id, holds.aside_of_policy(each.policy))
        for each in plan.failed
    ]
    tries += [apart.next_try for apart in failed if apart]
    due = [plan.now if not newest else plan.next_look, *tries, _shown_again(ticket, plan.now)]
    _set_timer(connection, plan, min((at for at in due if at is not None), default=None))
    return writes.take_over(connection, ref, tickets.looks(connection, ref), plan.now)


def keep_held(
    connection: Connection,
    ticket: Ticket,
    plan: Plan,
    hold: Hold,
    rows: Sequence[int],
    policy_hash: str,
    settle_seconds: Seconds,
    orders: Sequence[Order],
) -> bool:
    """Store a look whose writes are held: nothing has fired, and a human hears of it. False if the ticket was
    held before. It needs no timer: whoever releases it owes it a look. Orders are refused until then."""
    ref = ticket.ref
    ledger.append(connection, [_unheard(ref, order) for order in orders])
    _keep_facts(connection, ticket, plan, policy_hash, settle_seconds)
    inbox.close(connection, rows, plan.now)
    inbox.stop_timer(connection, ref)
    if not holds.put_hold(connection, hold):
        return False
    line = Line(at=plan.now, account=ref.account, ticket=ref.id, what="held", text=hold.why)
    ledger.append(connection, [line])
    return True


def _keep_facts(
    connection: Connection, ticket: Ticket, plan: Plan, policy_hash: str, settle_seconds: Seconds
) -> bool:
    return tickets.record_look(
        connection,
        ticket,
        plan.trace,
        now=plan.now,
        next_look=plan.next_look,
        matched=any(one.matched for one in plan.standings),
        owner=plan.owner.name if plan.owner else None,
        policy_hash=policy_hash,
        settle=settle_seconds,
    )


def _keep_writes(connection: Connection, intents: Intents, now: Instant) -> None:
    for place, chained in enumerate(intents.chain):
        writes.plan(
            connection,
            chained.write,
            episodes=chained.episodes,
            policy=chained.policy,
            level=chained.level,
            place=place,
            now=now,
        )


def _shown_again(ticket: Ticket, now: Instant) -> Instant | None:
    """When to see whether a history that was not shown is shown by now, which no feed would tell: the longer the
    ticket has stood still, the more seldom, from a quarter of an hour to a day."""
    if not ticket.hidden & HISTORIES or ticket.gone or ticket.status in (Status.SOLVED, Status.CLOSED):
        return None
    return now + min(max((now - ticket.updated) // 2, 900), 86400)


def _set_timer(connection: Connection, plan: Plan, due: Instant | None) -> None:
    if due is None:
        inbox.stop_timer(connection, plan.ref)
    else:
        inbox.start_timer(connection, plan.ref, due, "a level, or what it waits for, is due")


def _lines(
    connection: Connection, plan: Plan, occurrences: Sequence[Occurrence], intents: Intents
) -> list[Line]:
    """What happened, in order, then what was left out; a warning is said once for each ticket."""
    lines = [line_of(plan.ref, each, plan.standings) for each in occurrences]
    lines += [_remark(plan, "left out", gap) for gap in intents.left_out]
    told = {line.text for line in ledger.of_ticket(connection, plan.ref)} if plan.warnings else set()
    lines += [_remark(plan, "warning", text) for text in dict.fromkeys(plan.warnings) if text not in told]
    return lines


def _unheard(ref: TicketRef, order: Order) -> Line:
    text = f"{order.verb} {order.because}; the ticket is held: uptier release {ref}"
    return Line(
        at=order.at, account=ref.account, ticket=ref.id, what="order refused", who=order.who, text=text
    )


def _remark(plan: Plan, what: str, text: str) -> Line:
    return Line(at=plan.now, account=plan.ref.account, ticket=plan.ref.id, what=what, text=text)
