"""Plans of many tickets: what would be done now or then, as a lead reads it; and doing exactly that later.

A plan is made by the functions of a look and stores nothing. It is applied by a look, too: an order in the inbox has
the ticket's next look judge it again, at the plan's instant, with what is known by then. A line whose plan comes out
the same is carried out; one that does not has drifted and is refused by itself. So nothing that stands in a plan's file
is ever sent, and a line is safe from being done twice by what keeps any write from it.
"""

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal

from pydantic import ValidationError
from sqlalchemy import Connection

from adapters.base import Adapter, Note
from connector.store import codec, inbox, ledger, writes
from connector.store.inbox import Arrival, OpenRow
from connector.store.ledger import LedgerEntry
from connector.store.writes import State
from connector.work.commit import Intents, prepare, spelled
from connector.work.context import Rules
from policies.history import by_revision
from policies.model import Directory, Instant, Need, Order, Seconds, Ticket, TicketRef, Who
from policies.plan import Assign, Plan, differences
from policies.present.explain import LineTrace, traced
from policies.rules.assignment import Waiting
from policies.state import Episode, Standing

GOOD_FOR: Seconds = 86400
"""How long a plan can be applied."""

VERSION = 1

Fate = Literal["plan applied", "plan drifted", "plan held", "plan refused"]
"""How a line of a plan ended, in the ledger's word."""

FATES: tuple[Fate, ...] = ("plan applied", "plan drifted", "plan held", "plan refused")

ACTS = ("fired", "approval asked", "made up", "repeated")
"""What a level does, in the ledger's words, where that is more than to be seen."""


# --- what a plan is --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one level of one policy does: `what` is the ledger's word."""

    policy: str
    level: str
    what: str
    due: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDifference:
    """A field, what stands there and what will, in words."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A whole message: a note or a reply on the ticket, or what a channel hears."""

    to: str
    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """All that a line hangs on. `policies` are the hashes of those that do something; `episodes` the digests of their
    episodes as the plan leaves them; `reads` what their conditions and clocks read and the fields they write hold, as
    JSON; `acts` the newest act of a person or customer; `writes` the digest of all that is written and said, `keys` the
    names of the writes. `served` and `loads` are whose turn it was, and how much each had, when it was planned."""

    policies: Mapping[str, str]
    episodes: Mapping[str, str]
    owner: str
    reads: Mapping[str, str]
    acts: str
    writes: str
    keys: tuple[str, ...]
    served: tuple[tuple[str, str, Instant], ...] = ()
    loads: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """What is done about one ticket. `held` says what would keep it back now, empty if nothing; `reads` and `writes`
    count the requests to the helpdesk."""

    ticket: str
    link: str
    subject: str
    steps: tuple[Step, ...]
    owner: str
    fields: tuple[FieldDifference, ...]
    messages: tuple[Words, ...]
    notifies: tuple[Words, ...]
    left_out: tuple[str, ...]
    held: str
    reads: int
    writes: int
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyPlan:
    """A plan of many tickets, made at `made_at` as of `at`. `observes` are policies that it is made of and that only
    observe: it shows what they would do, and is not applied; `passed_over` are others that only observe, of which it
    shows nothing. `unread` are tickets that could not be read, with why. `remarks` say
    where it may lack something. `reads` counts the requests of making it. `hash` is of all the rest."""

    version: int = VERSION
    made_at: Instant
    at: Instant
    policy: str | None
    account: str | None
    observes: tuple[str, ...]
    passed_over: tuple[str, ...] = ()
    lines: tuple[PlanLine, ...]
    unread: Mapping[str, str]
    remarks: tuple[str, ...] = ()
    reads: int
    hash: str = ""

    @property
    def until(self) -> Instant:
        """When it can no longer be applied."""
        return self.made_at + GOOD_FOR


class NotApplicable(Exception):
    """The plan as a whole cannot be applied; the text says why."""


def plain(value: Any) -> Any:
    """What JSON has no form for: a set in one order, everywhere the same; anything else as text."""
    return sorted(value) if isinstance(value, set | frozenset) else str(value)


def as_json(value: Any) -> str:
    """A value as JSON that is equal where the value is."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=plain)


def digest(value: Any) -> str:
    """A short name of a value."""
    return sha256(as_json(value).encode("utf-8", "surrogatepass")).hexdigest()


def sealed(plan: ManyPlan) -> ManyPlan:
    """The plan with its hash."""
    return replace(plan, hash=_hash(plan))


def _hash(plan: ManyPlan) -> str:
    return digest(json.loads(codec.dump(ManyPlan, replace(plan, hash=""))))


def as_file(plan: ManyPlan) -> str:
    """The plan as a file, for people and programs."""
    return json.dumps(json.loads(codec.dump(ManyPlan, plan)), indent=1, ensure_ascii=False) + "\n"


def from_file(text: str) -> ManyPlan:
    """The plan in a file. Raises NotApplicable for one that is none, or that was changed since it was made."""
    try:
        plan = codec.load(ManyPlan, text)
    except ValidationError:
        raise NotApplicable("it is no plan that `uptier plan -o` of this version has written") from None
    if plan.version != VERSION or plan.hash != _hash(plan):
        raise NotApplicable("it was changed after it was made; make a new one: uptier plan")
    return plan


def refusal(plan: ManyPlan, known: Iterable[str], now: Instant) -> str | None:
    """Why a plan cannot be applied at all; None if it can. `known` are the accounts of the config."""
    if plan.observes:
        named = ", ".join(plan.observes)
        return (
            f"it shows what policies would do that only observe ({named}); "
            f"`uptier enforce {shlex.quote(plan.observes[0])}` shows the same and switches it on"
        )
    if plan.at > plan.made_at:
        return "it was made for a time to come (--at); make one for now"
    if now >= plan.until:
        return f"it was made more than {GOOD_FOR // 3600} hours ago; make a new one"
    strangers = {TicketRef.parse(line.ticket).account for line in plan.lines} - set(known)
    if strangers:
        return f"there is no account {', '.join(sorted(strangers))} in the config"
    return None


# --- what a line hangs on --------------------------------------------------------------------------------------


def steps_of(plan: Plan) -> tuple[Step, ...]:
    """What the levels of a plan do. A level with something to write is under way, and has not fired yet."""
    under_way = [
        Step(policy=one.policy, level=way.level, what="fired", due=way.due)
        for one in plan.standings
        if one.running is not None and (way := one.running.under_way) is not None
    ]
    due = {
        (one.policy, each.level): each.due
        for one in plan.standings
        if one.episode
        for each in one.episode.passed
    }
    done = [
        Step(
            policy=each.policy,
            level=each.level or "",
            what=each.what,
            due=due.get((each.policy, each.level or "")),
        )
        for each in plan.occurrences
        if each.what in ACTS
    ]
    return (*under_way, *done)


def line_of(
    ticket: Ticket,
    plan: Plan,
    intents: Intents,
    directory: Directory,
    held: str,
    receipts: Mapping[str, frozenset[str]],
    reads: int,
) -> PlanLine:
    """The line of a ticket about which something is done."""
    said = [act for one in intents.chain for act in one.write.intent if isinstance(act, Note)]
    steps = steps_of(plan)
    return PlanLine(
        ticket=str(ticket.ref),
        link=ticket.link,
        subject=ticket.subject,
        steps=steps,
        owner=owner_of(plan),
        fields=differing(ticket, plan, directory),
        messages=tuple(Words(to="reply" if act.public else "note", title="", body=act.body) for act in said),
        notifies=tuple(Words(to=one.channel, title=one.title, body=one.body) for one in intents.notices),
        left_out=(
            *intents.left_out,
            *(f"{one.policy} / {one.level}: {one.what}: {one.why}" for one in plan.left_out),
            *plan.warnings,
        ),
        held=held,
        reads=reads,
        writes=len(intents.chain),
        basis=basis_of(ticket, plan, intents, directory, receipts),
    )


def owner_of(plan: Plan) -> str:
    """Who answers for the ticket once the plan is carried out."""
    ways = [one.running.under_way for one in plan.standings if one.running is not None]
    found = next((way.owner for way in ways if way is not None), plan.owner)
    return found.name if found else ""


def differing(ticket: Ticket, plan: Plan, directory: Directory) -> tuple[FieldDifference, ...]:
    """Each field that the plan leaves otherwise than it is, in words."""
    return tuple(
        FieldDifference(field=name, before=spelled(before, directory), after=spelled(after, directory))
        for wanted in plan.wanted
        for name, before, after in differences(wanted.action, ticket)
    )


def basis_of(
    ticket: Ticket,
    plan: Plan,
    intents: Intents,
    directory: Directory,
    receipts: Mapping[str, frozenset[str]],
) -> Basis:
    """All that the plan of this ticket hangs on."""
    names = {step.policy for step in steps_of(plan)}
    names |= {one.policy for one in plan.standings if one.running and one.running.undoing}
    hashes = {each.seen.policy.name: each.seen.policy.hash for each in plan.considered}
    assign = next((one.action for one in plan.wanted if isinstance(one.action, Assign)), None)
    group = assign.group.id if assign is not None and assign.group is not None else ""
    takes_turns = bool(plan.served)
    counts = assign is not None and plan.scene is not None and plan.scene.policies.asks_for_loads
    return Basis(
        policies={name: hashes[name] for name in sorted(names)},
        episodes={
            one.episode.key: state_of(one.episode)
            for one in plan.standings
            if one.policy in names and one.episode is not None
        },
        owner=owner_of(plan),
        reads=reads_of(ticket, plan, names, directory),
        acts=acts_on(ticket, receipts),
        writes=digest(
            [
                *((one.write.key, asdict(act)) for one in intents.chain for act in one.write.intent),
                *(asdict(one) for one in intents.notices),
            ]
        ),
        keys=tuple(one.write.key for one in intents.chain),
        served=tuple(
            (pair[0], pair[1], at)
            for pair, at in sorted(directory.served.items())
            if takes_turns and pair[0] == group
        ),
        loads={
            each.person.id: each.open_load
            for each in directory.agents
            if counts and each.open_load is not None and (not group or group in each.groups)
        },
    )


PASSING = frozenset(
    {"started", "seen", "stops_after", "heard", "matching_since", "policy_hash", "wait", "told"}
)
"""What of an episode tells when it was looked at, and not where it stands."""


def state_of(episode: Episode) -> str:
    """Where an episode stands, as a digest."""
    held = json.loads(codec.dump(Episode, episode))
    way = held["under_way"]
    kept = {name: value for name, value in held.items() if name not in PASSING}
    if way is not None:
        kept["under_way"] = {name: value for name, value in way.items() if name not in ("at", "seen")}
    for name in ("inherits", "asked", "asked_for", "approved"):
        kept[name] = sorted(kept[name])
    return digest(kept)


def reads_of(ticket: Ticket, plan: Plan, names: Iterable[str], directory: Directory) -> dict[str, str]:
    """What the conditions and clocks of these policies read, and what stands in the fields that are written."""
    found: dict[str, str] = {}
    chosen = set(names)

    def note(name: str, line: LineTrace) -> None:
        found[f"{name}: {line.section} {line.text}"] = as_json([line.read, line.held, line.hidden])
        for inner in line.inner:
            note(name, inner)

    for trace in traced(plan):
        if trace.policy in chosen:
            for line in trace.lines:
                note(trace.policy, line)
            if trace.clock is not None:
                told = [trace.clock.start, trace.clock.why_absent, *trace.clock.steps[-1:]]
                found[f"{trace.policy}: clock {trace.clock.name}"] = as_json(told)
    for each in differing(ticket, plan, directory):
        found[each.field] = as_json(each.before)
    return found


def acts_on(ticket: Ticket, receipts: Mapping[str, frozenset[str]]) -> str:
    """The newest act of a person or customer on the ticket. Where the helpdesk hides who did something, or no history
    was read, any revision that is not ours may be one."""
    acts = [*(each.act for each in ticket.messages), *(each.act for each in ticket.changes)]
    theirs = [act for act in acts if act.who in (Who.AGENT, Who.CUSTOMER, Who.UNKNOWN)]
    newest = max(theirs, key=lambda act: (act.sequence, act.id), default=None)
    said = f"{newest.sequence} {newest.id}" if newest else ""
    whole = {Need.MESSAGES, Need.CHANGES} <= ticket.loaded and not ticket.hidden & {"messages", "changes"}
    if (ticket.actors_hidden or not whole) and by_revision(ticket.revision) not in receipts:
        said += f" {ticket.revision}"
    return said


# --- how a line is carried out ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOrder:
    """The order, in the inbox, to do what a line of a plan says: the plan's hash, its instant, until when it can be
    applied, who ordered it, and what it hangs on. `taken` says that it was decided, and that its writes are its own."""

    plan: str
    at: Instant
    until: Instant
    who: str
    basis: Basis
    taken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenLine:
    """An order that waits in the inbox as `row`. `begun` says that its first write has ended already: what is left of
    it goes on. `ordered` are what people ordered for the ticket meanwhile."""

    row: int
    order: LineOrder
    begun: bool
    ordered: tuple[Order, ...]


class Drifted(Exception):
    """The ticket's plan is not the same any more; the text says what differs."""

    def __init__(self, line: GivenLine, why: str) -> None:
        super().__init__(why)
        self.line = line


UNREADABLE = LineOrder(
    plan="",
    at=0,
    until=0,
    who="uptier",
    basis=Basis(policies={}, episodes={}, owner="", reads={}, acts="", writes="", keys=()),
)


def given(connection: Connection, rows: Iterable[OpenRow]) -> GivenLine | None:
    """The first order of a plan among a ticket's open rows."""
    kept = tuple(rows)
    row = next((each for each in kept if each.kind == "plan"), None)
    if row is None:
        return None
    try:
        order = codec.load(LineOrder, row.hint)
    except ValidationError:  # of a version that told it otherwise: it ends as one that has expired
        order = UNREADABLE
    first = writes.get(connection, order.basis.keys[0]) if order.basis.keys else None
    return GivenLine(
        row=row.id,
        order=order,
        begun=order.taken and first is not None and first.state in (State.DONE, State.REFUSED),
        ordered=tuple(each.order for each in kept if each.order is not None),
    )


def give(connection: Connection, plan: ManyPlan, who: str, now: Instant) -> None:
    """Leave the orders of a plan, in its order. Those that were given before are not given again."""
    inbox.put_news(
        connection,
        [
            Arrival(
                account=ref.account,
                ticket=ref.id,
                delivery=f"plan:{plan.hash}:{ref.id}",
                kind="plan",
                hint=codec.dump(
                    LineOrder,
                    LineOrder(plan=plan.hash, at=plan.at, until=plan.until, who=who, basis=line.basis),
                ),
                received_at=now,
            )
            for line in plan.lines
            for ref in [TicketRef.parse(line.ticket)]
        ],
    )


def judged_again(
    rules: Rules,
    adapter: Adapter,
    line: GivenLine,
    ticket: Ticket,
    standings: tuple[Standing, ...],
    directory: Directory,
    receipts: Mapping[str, frozenset[str]],
    waits: tuple[Waiting, ...],
    now: Instant,
) -> tuple[Plan, Intents]:
    """The ticket's plan, made again at the instant of the line and taken up now. Raises Drifted where it differs."""
    order = line.order
    if ticket.gone:
        raise Drifted(line, "the ticket is gone")
    if now >= order.until and not line.begun:
        raise Drifted(line, "the plan has expired")
    if line.ordered and not line.begun:
        raise Drifted(line, f"{line.ordered[0].who} ordered something for it since: {line.ordered[0].verb}")
    people = handed_out(directory, order.basis)
    plan = rules.judge(replace(ticket, read_at=order.at), standings, people, order.at, waits=waits)
    intents = prepare(adapter, ticket, plan, rules.policies)
    if line.begun:
        if plan.wanted:
            raise Drifted(line, "its level was written, and the ticket is due for something else by now")
    elif why := differs(
        order.basis, basis_of(ticket, plan, intents, people, receipts), rules, ticket.ref.account
    ):
        raise Drifted(line, why)
    return taken_up(plan, now), intents


def handed_out(directory: Directory, basis: Basis) -> Directory:
    """The directory with the turns, and how much each has, as they stood when the line was planned: a plan hands out
    its tickets as it showed. Who has gone or is away by now is known all the same."""
    served = dict(directory.served) | {(group, person): at for group, person, at in basis.served}
    agents = tuple(
        replace(each, open_load=basis.loads.get(each.person.id, each.open_load)) for each in directory.agents
    )
    return replace(directory, served=served, agents=agents)


def differs(then: Basis, now: Basis, rules: Rules, account: str) -> str:
    """What differs between what a line hung on and what it would hang on now, in a sentence; empty if nothing does."""
    running = {each.name: each for each in rules.policies.serving(account)}
    for name, was in then.policies.items():
        if name not in running:
            return f'policy "{name}" does not run here'
        if running[name].hash != was:
            return f'policy "{name}" runs with another text'
        if rules.policies.mode(running[name], account) != "enforce":
            return f'policy "{name}" only observes'
    if then.acts != now.acts:
        return "somebody has acted on the ticket since"
    for what in dict.fromkeys((*then.reads, *now.reads)):
        before, after = then.reads.get(what), now.reads.get(what)
        if before != after:
            return f"{what}: it was {before or 'not read'}, and is {after or 'not read'}"
    if then.episodes != now.episodes or then.policies != now.policies:
        return "the escalation does not stand where it stood"
    if then.owner != now.owner:
        return f"its owner would be {now.owner or 'nobody'}, not {then.owner or 'nobody'}"
    if then.writes != now.writes or then.keys != now.keys:
        return "what would be written is not what was planned"
    return ""


def taken_up(plan: Plan, now: Instant) -> Plan:
    """A plan of an earlier instant that is carried out now: its words stay, and what it does happens now, so that
    levels, repeats and caps count from then."""
    then = plan.now

    def moved(at: Instant) -> Instant:
        return now if at == then else at

    def of_episode(episode: Episode) -> Episode:
        way = episode.under_way
        return replace(
            episode,
            under_way=None if way is None else replace(way, at=moved(way.at)),
            passed=tuple(replace(each, at=moved(each.at)) for each in episode.passed),
            last_sent=None if episode.last_sent is None else moved(episode.last_sent),
        )

    def of_standing(one: Standing) -> Standing:
        held = one.ownership
        return replace(
            one,
            episode=None if one.episode is None else of_episode(one.episode),
            ownership=None if held is None else replace(held, at=moved(held.at)),
        )

    return replace(
        plan,
        now=now,
        standings=tuple(of_standing(each) for each in plan.standings),
        occurrences=tuple(replace(each, at=moved(each.at)) for each in plan.occurrences),
    )


def take(connection: Connection, line: GivenLine) -> None:
    """Remember, in the transaction that stores its look, that the line was decided."""
    inbox.note(connection, line.row, codec.dump(LineOrder, replace(line.order, taken=True)))


def ended(
    connection: Connection, ref: TicketRef, line: GivenLine, fate: Fate, text: str, now: Instant
) -> None:
    """Close the order, forget what it was to read, and say how the line ended."""
    inbox.note(connection, line.row, "")
    inbox.close(connection, [line.row], now)
    entry = LedgerEntry(
        at=now,
        account=ref.account,
        ticket=ref.id,
        what=fate,
        who=line.order.who,
        policy=next(iter(line.order.basis.policies), ""),
        episode=next(iter(line.order.basis.episodes), ""),
        text=text,
        data={"plan": line.order.plan},
    )
    ledger.append(connection, [entry])


def written(connection: Connection, ref: TicketRef, line: GivenLine) -> tuple[Fate, str] | None:
    """How the line ended by what became of its writes; None while it was not decided, or one of them is to be sent."""
    now = given(connection, inbox.open_rows(connection, ref))
    if now is None or now.row != line.row or not now.order.taken:
        return None
    kept = [one for key in line.order.basis.keys if (one := writes.get(connection, key)) is not None]
    if not kept or any(one.state in (State.PLANNED, State.SENDING, State.UNKNOWN) for one in kept):
        return None
    match kept[0].state:
        case State.DONE:
            return "plan applied", ""
        case State.REFUSED:
            return "plan refused", kept[0].error or ""
    return None


def fates(connection: Connection, plan: ManyPlan) -> dict[str, tuple[Fate, str]]:
    """How the lines of a plan that have ended did so, by ticket, with what is said of it."""
    return {
        f"{line.account}/{line.ticket}": (fate, line.text)
        for line in ledger.since(connection, FATES, plan.made_at)
        if line.data.get("plan") == plan.hash
        for fate in FATES
        if fate == line.what
    }
