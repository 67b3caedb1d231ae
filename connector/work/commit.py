"""From a plan to what is stored of it in one transaction: requests and texts, facts, standings, timer,
ledger lines."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from adapters.base import ActionKind, Adapter, Note, Receipt, RefusedPart, VendorAction, Write
from connector.store import accounts, codec, escalated, holds, inbox, ledger, notices, tickets, writes
from connector.store import links as kept_links
from connector.store.holds import Hold
from connector.store.inbox import Timer
from connector.store.ledger import LedgerEntry
from connector.store.links import Link
from connector.store.looks import Kept
from connector.store.notices import Notice
from connector.store.standings import remember_standings
from connector.store.writes import KeptWrite, State
from connector.work.links import Links, Offers
from connector.work.messages import announce, no_links, texts
from policies.language.policy import PolicySet
from policies.model import Directory, Instant, Order, Seconds, Status, Ticket, TicketRef
from policies.plan import Notify, Occurrence, Plan, Say, Wanted
from policies.rules.judgement import coming, judgements
from policies.rules.ladder import untimed
from policies.rules.outcomes import Outcome, after_outcome
from policies.state import Cause, Standing


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
    go to channels outside the helpdesk, in no order with the writes. `links` are those in any of the texts, by digest.
    """

    chain: tuple[Chained, ...] = ()
    left_out: tuple[str, ...] = ()
    unsent: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()
    links: Mapping[str, Link] = field(default_factory=dict)


def prepare(
    adapter: Adapter, ticket: Ticket, plan: Plan, policies: PolicySet, links: Links | None = None
) -> Intents:
    """The fewest requests for what the plan wants, worded. What the vendor cannot do is named, never sent. All notes of
    a plan become one (rule 6), before any reply; what channels are to hear goes apart, with keys that keep it from
    being said twice. Without `links` nobody can act by a link in them."""
    offers = Offers(links=links, plan=plan, ref=ticket.ref, policies=policies) if links else None
    offer = offers or no_links
    under_way = {
        one.episode.key: (one.policy, one.episode.under_way.level)
        for one in plan.standings
        if one.episode is not None and one.episode.under_way is not None
    }
    able: list[Wanted] = []
    unable: list[str] = []
    actions: list[VendorAction] = []
    says: list[Say] = []
    notices_to_send: list[Notice] = []
    for wanted in plan.wanted:
        action = wanted.action
        if isinstance(action, Notify):
            policy, level, key = named(wanted, under_way, plan)
            title, body = announce(action, ticket, policies, offer)
            notice = Notice(
                key=f"{key}:notify:{action.channel}",
                channel=action.channel,
                ref=ticket.ref,
                episodes=frozenset(wanted.episodes),
                policy=policy,
                level=level,
                title=title,
                body=body,
            )
            notices_to_send.append(notice)
            continue
        kind: ActionKind = (
            action.kind if not isinstance(action, Say) else "reply" if action.public else "note"
        )
        if kind not in adapter.capabilities.actions:
            unable.append(f"{adapter.name} cannot do this: {kind}")
            continue
        able.append(wanted)
        if isinstance(action, Say):
            says.append(action)
        else:
            actions.append(action)
    if not able:
        unsent = (*under_way, *(plan.takes_back if plan.wanted else ()))
        return Intents(
            left_out=tuple(unable),
            unsent=unsent,
            notices=tuple(notices_to_send),
            links=_links_in(offers, notices_to_send, ()),
        )
    policy, level, key = named(able[0], under_way, plan)
    said = texts(says, ticket, policies, offer)
    prepared = adapter.prepare(ticket, (*actions, *said), key)
    episodes = frozenset(episode for wanted in able for episode in wanted.episodes)
    return Intents(
        chain=tuple(
            Chained(write=write, episodes=episodes, policy=policy, level=level) for write in prepared.writes
        ),
        left_out=(*unable, *prepared.gaps),
        unsent=() if prepared.writes else (*under_way, *episodes & plan.takes_back),
        notices=tuple(notices_to_send),
        links=_links_in(offers, notices_to_send, said),
    )


def _links_in(
    offers: Offers | None, notices_to_send: Iterable[Notice], said: Iterable[Note]
) -> Mapping[str, Link]:
    """The links that stand in these texts, by digest."""
    if offers is None:
        return {}
    bodies = [*(each.body for each in notices_to_send), *(each.body for each in said)]
    return dict(kept for address, kept in offers.made.items() if any(address in body for body in bodies))


def named(wanted: Wanted, under_way: dict[str, tuple[str, str]], plan: Plan) -> tuple[str, str, str]:
    """Policy, level and key of the plan's writes, by the first episode that asked for any of them. A repeat
    is not under way; it is told from the firing by how often it was said before. Nor is a level that only notifies."""
    episode = wanted.episodes[0]
    undo = next(
        ((one.policy, one.undo) for one in plan.standings if one.undo and one.undo.key == episode), None
    )
    if undo is not None:
        return undo[0], "", f"{episode}:{undo[1].tries + 1}"
    if episode in under_way:
        policy, level = under_way[episode]
        return policy, level, f"{episode}:{level}"
    running = next(one.episode for one in plan.standings if one.episode and one.episode.key == episode)
    if running.undoing:
        return running.policy, "", f"{episode}:de-escalated-{running.undoing}"
    asked = next(
        (
            each.level
            for each in plan.occurrences
            if each.what == "approval asked" and each.episode == episode
        ),
        None,
    )
    if asked is not None:
        again = f"-{running.asked_times}" if running.asked_times > 1 else ""
        return running.policy, asked, f"{episode}:{asked}:approval{again}"
    if running.lapsing is not None:
        return running.policy, running.lapsing, f"{episode}:{running.lapsing}:not-approved"
    level = running.passed[-1].level if running.passed else ""
    again = f":again-{running.repeated}" if running.repeated else ""
    return running.policy, level, f"{episode}:{level}{again}"


def line_of(ref: TicketRef, occurrence: Occurrence, remembered: Iterable[Standing]) -> LedgerEntry:
    """The ledger's line for an occurrence; the policy text's hash is that of the episode. Of a level it tells when it
    was due, and how many seconds after that it was decided, unless something else than Uptier decided when it fired: a
    person, or a condition that came to hold after the level's time. Why it fired is kept as
    values (`ledger.in_words`)."""
    running = {one.episode.key: one.episode for one in remembered if one.episode is not None}
    episode, cause, data = running.get(occurrence.episode), occurrence.cause, dict[str, Any]()
    if episode is not None and occurrence.what in ("fired", "observed"):
        passed = next((each for each in reversed(episode.passed) if each.level == occurrence.level), None)
        if passed is not None and passed.due is not None and not untimed(episode, passed):
            data = {"due": passed.due, "late": max(passed.at - passed.due, 0)}
    if cause is not None:
        data["cause"] = json.loads(codec.dump(Cause, cause, sparse=True))
    return LedgerEntry(
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
        data=data,
    )


WORDS: dict[State, str] = {
    State.DONE: "written",
    State.REFUSED: "write refused",
    State.STALE: "write dropped",
    State.UNKNOWN: "write unknown",
}


def line_about(
    kept: KeptWrite, state: State, text: str, receipt: Receipt | None, now: Instant
) -> LedgerEntry:
    """The ledger's line for a write that ended so, with what the helpdesk remarked."""
    remarks = receipt.remarks if receipt else ()
    named = text or "; ".join(action.called for action in kept.write.intent)
    told = (f"the helpdesk remarks: {remark}" for remark in remarks)
    data = {"key": kept.write.key, "attempt": kept.attempt, "tries": kept.tries, "remarks": list(remarks)}
    return _of_write(kept, WORDS[state], "; ".join([named, *told]), now, data)


def refused_lines(kept: KeptWrite, parts: Iterable[RefusedPart], now: Instant) -> list[LedgerEntry]:
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


def untaken_lines(
    kept: KeptWrite, receipt: Receipt, directory: Directory | None, now: Instant
) -> list[LedgerEntry]:
    """One line for each part that the helpdesk answered with success and did not do: what was wanted and what stands,
    for a person."""
    lines = []
    for part in receipt.not_taken:
        wanted, found = spelled(part.wanted, directory), spelled(part.found, directory)
        text = "; ".join(filter(None, (f"{part.field} is {found} after the write, not {wanted}", part.why)))
        lines.append(_of_write(kept, "not taken", text, now, {"key": kept.write.key} | asdict(part)))
    return lines


def partly_line(kept: KeptWrite, lacks: Iterable[str], now: Instant) -> LedgerEntry:
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


def _of_write(kept: KeptWrite, what: str, text: str, now: Instant, data: dict[str, Any]) -> LedgerEntry:
    ref = kept.write.ref
    return LedgerEntry(
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

HIDDEN_AT_LEAST: Seconds = 900
HIDDEN_AT_MOST: Seconds = 86400
"""Between two looks at whether it shows them by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A look that is to be stored, the ticket's `number`-th: what was read, what comes of it, and what was kept before,
    the news that it answers with people's `orders` among them. What was read is settled where the revision had stood
    for `settle` seconds by then. `stands_by` is when somebody has to ask whether an assignment of ours still stands,
    where nothing that comes by or is due tells until then."""

    ticket: Ticket
    plan: Plan
    intents: Intents
    kept: Kept
    orders: Sequence[Order]
    policy_hash: str
    settle: Seconds
    number: int
    stands_by: Instant | None = None


def keep_look(
    connection: Connection,
    look: Look,
    goes_on: Sequence[KeptWrite] = (),
    dropped: Sequence[tuple[KeptWrite, str]] = (),
) -> tuple[KeptWrite, ...]:
    """Store a look and what it decided; answers the writes to send, in order. Of older chains
    some `goes_on`, first of all; what is `dropped` is not sent any more. Of what happened a line is written in order,
    then of what was left out; a warning is said once for each ticket."""
    ticket, plan, intents = look.ticket, look.plan, look.intents
    ref, now = ticket.ref, plan.now
    nothing_sent = Outcome(key="", episodes=intents.unsent, result="done", at=now)
    remembered, more = after_outcome(plan.standings, nothing_sent)
    remember_standings(
        connection,
        ref,
        remembered,
        before=look.kept.standings,
        ended=plan.ended,
        ahead=coming(plan),
        was_ahead=look.kept.coming,
    )
    for group, person in plan.served:
        accounts.note_served(connection, ref.account, group, person, now)
    lines = [line_of(ref, each, plan.standings) for each in (*plan.occurrences, *more)]
    said = {line.text for line in ledger.of_ticket(connection, ref)} if plan.warnings else set()
    remarks = [
        *(("left out", gap) for gap in intents.left_out),
        *(("warning", text) for text in dict.fromkeys(plan.warnings) if text not in said),
    ]
    lines += [LedgerEntry(at=now, account=ref.account, ticket=ref.id, what=w, text=t) for w, t in remarks]
    for kept, why in dropped:
        writes.drop(connection, kept.write.key, why, now)
        lines.append(line_about(kept, State.STALE, why, None, now))
    ledger.append(connection, lines)
    planned = [
        writes.plan(
            connection,
            one.write,
            episodes=one.episodes,
            policy=one.policy,
            level=one.level,
            place=place,
            now=now,
            look=look.number,
        )
        for place, one in enumerate(intents.chain)
    ]
    for notice in intents.notices:
        notices.plan(connection, notice, now)
    if intents.links:
        kept_links.keep(connection, intents.links)
    newest = _keep_facts(connection, look, remembered)
    inbox.close(connection, [row.id for row in look.kept.rows], now)
    if look.kept.is_held:
        holds.drop(connection, ref, over=all(one.running is None for one in plan.standings))
    failed = (holds.aside_of_policy(each.policy) for each in plan.failed)
    asides = [holds.aside_of(connection, ref.account, ref.id, kind) for kind in failed]
    due = [
        plan.next_look if newest else now,
        *(kept.next_try for kept in goes_on if kept.rests(now)),
        *(aside.next_try for aside in asides if aside),
    ]
    if ticket.hidden & HISTORIES and not ticket.gone and ticket.status not in (Status.SOLVED, Status.CLOSED):
        # no feed would tell that a history is shown by now: the longer the ticket has stood still, the more seldom
        due.append(now + min(max((now - ticket.updated) // 2, HIDDEN_AT_LEAST), HIDDEN_AT_MOST))
    first, why = min((at for at in due if at is not None), default=None), inbox.LEVEL_DUE
    if look.stands_by is not None and first == plan.next_look and (first is None or look.stands_by < first):
        first, why = look.stands_by, inbox.ASSIGNED
    _set_timer(connection, look, first, why)
    if goes_on:
        return writes.take_over(connection, ref, look.number, now)
    return tuple(kept for kept in planned if kept is not None)


def _set_timer(connection: Connection, look: Look, due: Instant | None, why: str) -> None:
    """Have the ticket looked at then, or not before there is news of it. A timer that says so already is left alone."""
    ref, before = look.ticket.ref, look.kept.timer
    if due is None:
        if before is not None:
            inbox.stop_timer(connection, ref)
        return
    timer = Timer(ref=ref, due=due, why=why, holds=False, urgent=True)
    if timer != before:
        inbox.start_timer(connection, ref, due, why)


def keep_held(connection: Connection, look: Look, hold: Hold) -> bool:
    """Store a look whose writes are held: nothing has fired, and a human hears of it. False if the ticket was
    held before. It needs no timer: whoever releases it owes it a look. Orders are refused until then."""
    ref = look.ticket.ref
    unheard = [
        LedgerEntry(
            at=order.at,
            account=ref.account,
            ticket=ref.id,
            what="order refused",
            who=order.who,
            text=f"{order.verb} {order.because}; the ticket is held: uptier release {ref}",
        )
        for order in look.orders
    ]
    ledger.append(connection, unheard)
    _keep_facts(connection, look, look.plan.standings, is_held=True)
    inbox.close(connection, [row.id for row in look.kept.rows], look.plan.now)
    inbox.stop_timer(connection, ref)
    if not holds.put_hold(connection, _with_level(look, hold)):
        return False
    line = LedgerEntry(at=look.plan.now, account=ref.account, ticket=ref.id, what="held", text=hold.why)
    ledger.append(connection, [line])
    return True


def _with_level(look: Look, hold: Hold) -> Hold:
    """The hold, with the level that would fire now and does not."""
    if hold.policy:
        return replace(hold, coming=coming(look.plan, held=True).get(hold.policy))
    makes = (*(each.policy for each in look.intents.chain), *(each.policy for each in look.intents.notices))
    return replace(hold, policy=makes[0], coming=coming(look.plan, held=True).get(makes[0]))


def _keep_facts(
    connection: Connection, look: Look, standings: Sequence[Standing], *, is_held: bool = False
) -> bool:
    plan, judged = look.plan, judgements(look.plan)
    owner = plan.owner.name if plan.owner else None
    row = escalated.escalated_of(
        look.ticket, standings, judged, owner or "", plan.scene, plan.now, is_held=is_held
    )
    escalated.keep(connection, look.ticket.ref, row, look.kept.escalated)
    return tickets.record_look(
        connection,
        look.ticket,
        judged,
        now=plan.now,
        next_look=plan.next_look,
        matched=any(one.matched for one in plan.standings),
        owner=owner,
        policy_hash=look.policy_hash,
        settle=look.settle,
        number=look.number,
    )
