"""What the pages show, read in one transaction each: frozen values, no markup."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from adapters.base import Limit
from connector.app.canary import ChangedResult, FailedTest, PolicyHealth, changed_results
from connector.clock import DATABASE, telling
from connector.console.reader import READER
from connector.render import many
from connector.report.calls import Calls
from connector.store import accounts, escalated, holds, inbox, ledger, notices, tickets, writes
from connector.store.accounts import ConnectedAccount
from connector.store.due import STANDS, DuePage, coming_by_hour, due_page
from connector.store.episodes import running_levels
from connector.store.escalated import REAL, next_waiting
from connector.store.fleet import Failing, Node, limits_of, pauses
from connector.store.holds import Hold, SetAside
from policies.model import (
    Instant,
    Seconds,
    TicketRef,
    _,
    seconds,
)
from policies.present.explain import trace_of
from policies.state import Episode

SHOWN = 200
WORST, MOST_ON_A_WALL = 10, 50
DAY = 86400
FAILED = ("write refused", "write unknown")
"""What the helpdesk of an account last said of its limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An escalation that runs. `owner` is the ticket's, one whatever number of
    policies escalate it (rule 9). `next_due` is when the next level is due. `observed` says that the level was only
    observed, and `observes` that the policy only observes: nobody has been told, and nobody will be."""

    ref: TicketRef
    subject: str
    link: str
    group: str
    policy: str
    level: str
    owner: str
    since: Instant | None
    acknowledged_by: str
    snoozed_until: Instant | None
    awaiting: str
    next_level: str
    next_due: Instant | None
    why: str
    observed: bool = False
    observes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """What a screen on a wall shows: how many tickets are at which level, how many are overdue, held, waiting and
    coming, and the worst of these."""

    at: Instant
    levels: tuple[tuple[str, int], ...]
    due: DuePage


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that needs a human, in a few words, the page that has more, and what to do `then`."""

    what: str
    where: str
    then: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The front page. `states` count the rows of the list by how they stand, `hours` how many levels act in each of the
    next hours and on how many tickets; `days`, which begin at `since` and end with today, how often each happened."""

    at: Instant
    shares: escalated.Shares
    states: Mapping[escalated.State, int]
    hours: tuple[tuple[int, int], ...]
    since: Instant
    days: Mapping[str, tuple[int, ...]]
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHealth:
    """How one account is doing. `oldest` is when the news came in that has waited longest for a look; `rests_until`,
    before when the helpdesk wants to be asked nothing; `failed`, the writes of the last day that were refused or whose
    fate is unknown; `budgets`, what the helpdesk last said of its limits, to whichever process."""

    name: str
    paused: str
    oldest: Instant | None
    rests_until: Instant | None
    failed: int
    budgets: tuple[Limit, ...]
    polled: Instant | None
    census: Instant | None
    webhook: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeHealth:
    """Another process: what it does, when it last told of itself and whether that is too long ago, what fails in it,
    the clocks that it sees, and what to do about those that are too far from its own."""

    name: str
    roles: tuple[str, ...]
    heard: Instant
    silent: bool
    failing: tuple[Failing, ...]
    skews: tuple[tuple[str, Seconds], ...]
    clocks: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The page *Health*. `failing` are threads and jobs of the process that shows it, `clocks` those that it sees too
    far from its own, `nodes` the other processes of a fleet as they last told of themselves; `channels`, how many
    notifications each channel did not take yet; `calls`, where the requests to each helpdesk went; `tests`, those of
    policies that failed when they were played last; `results`, those of which something else comes than was accepted;
    `policies`, when each last did anything."""

    trouble: str
    failing: tuple[Failing, ...]
    clocks: tuple[tuple[str, str], ...]
    nodes: tuple[NodeHealth, ...]
    aside: tuple[SetAside, ...]
    channels: tuple[tuple[str, int], ...]
    backlog: int
    oldest: Instant | None
    timers: int
    writes: tuple[tuple[str, int], ...]
    accounts: tuple[AccountHealth, ...]
    calls: tuple[Calls, ...]
    held: tuple[Hold, ...]
    tests: tuple[FailedTest, ...]
    results: tuple[ChangedResult, ...]
    policies: tuple[PolicyHealth, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How often a policy spoke in the last seven days, today the last of `days`: levels fired (or observed, where it
    only observes), in how many escalations, on how many tickets; how many were acknowledged, rejected or taken back by
    a person, and false alarms: somebody answered within 15 minutes anyway."""

    policy: str
    fired: int
    escalations: int
    last_fired: Instant | None
    tickets: int
    days: tuple[int, ...]
    acknowledged: int
    overruled: int
    false_alarms: int


def rows_of_ticket(connection: Connection, ref: TicketRef, running: Sequence[Episode]) -> tuple[Row, ...]:
    """Each escalation of one ticket that runs."""
    return _owned([row for episode in running for row in _row(connection, ref, episode)])


def _owned(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows, with an owner only where some level of the ticket has fired; before that nobody has it."""
    escalated = {row.ref for row in rows if row.level}
    return tuple(row if row.ref in escalated else replace(row, owner="") for row in rows)


def due(
    connection: Connection, asked: Mapping[str, str], names: tuple[str, ...], now: Instant, limit: int
) -> DuePage:
    """What is overdue, held, waiting and coming on these accounts, or on one that is `asked` for; of one `policy` or
    `state`, and of what comes only that `within` a time, if asked; at most so many rows from the place `from` on.
    ValueError for what cannot be asked."""
    account, within, state = asked.get("account"), asked.get("within"), asked.get("state", "")
    if account and account not in names:
        raise ValueError(f"there is no account {account}; there are {', '.join(names)}")
    if state and state not in STANDS:
        raise ValueError(f"state={state[:50]!r}: there is {', '.join(STANDS)}")
    return due_page(
        connection,
        now,
        names=(account,) if account else names,
        policy=asked.get("policy") or None,
        within=seconds(within) if within else None,
        stand=next((each for each in STANDS if each == state), None),
        limit=limit,
        offset=start_of(asked),
    )


def wall(connection: Connection, asked: Mapping[str, str], names: tuple[str, ...], now: Instant) -> Wall:
    """What a screen on a wall shows of these accounts, or of one that is `asked` for; the `worst` so many tickets.
    ValueError for what cannot be asked."""
    many, account = asked.get("worst") or str(WORST), asked.get("account")
    if not many.isdecimal() or not 1 <= int(many[:9]) <= MOST_ON_A_WALL:
        raise ValueError(f"worst={many[:20]!r}: a wall shows 1 to {MOST_ON_A_WALL} tickets")
    if account and account not in names:
        raise ValueError(f"there is no account {account}; there are {', '.join(names)}")
    of = (account,) if account else names
    return Wall(
        at=now,
        levels=running_levels(connection, of),
        due=due_page(connection, now, names=of, limit=int(many)),
    )


HOURS, DAYS_BACK = 12, 7
FALSE_ALARM: Seconds = 900
SPOKE = ("fired", "observed")
"""What a policy says, where it is enforced and where it only observes."""


def front(connection: Connection, names: tuple[str, ...], now: Instant, health: Health) -> Front:
    """How much there is of what on these accounts: a constant number of statements, which count in the database."""
    midnight = datetime.fromtimestamp(now, READER.get().zone).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    since = int((midnight - timedelta(days=DAYS_BACK - 1)).timestamp())
    return Front(
        at=now,
        shares=escalated.shares(connection),
        states=escalated.counted(connection, escalated.Wanted(), now),
        hours=coming_by_hour(connection, names, now, HOURS),
        since=since,
        days=ledger.by_day(connection, names, ("fired", "acknowledged", "observed"), since, DAYS_BACK),
        troubles=tuple(troubles(health)),
    )


def troubles(health: Health) -> Iterator[Trouble]:
    """What needs a human, the worst first, each with what to do."""
    if health.trouble:
        yield Trouble(
            what=f"The database is in trouble: {health.trouble}",
            where="/health",
            then=_("See that it runs and has room; Uptier goes on by itself."),
        )
    for account in health.accounts:
        where = "/health#accounts"
        if account.paused:
            then = _("Mend what it says; then uptier release {account} lets it go on.", account=account.name)
            yield Trouble(what=f"{account.name} is paused: {account.paused}", where=where, then=then)
        if account.failed:
            words = f"{account.name}: {many(account.failed, 'write')} failed since yesterday"
            yield Trouble(what=words, where=where, then=_("The ledger says of which tickets, and why."))
    tries = _("It is tried again by itself; if it stays, the log says more.")
    for each in health.failing:
        yield Trouble(what=f"{each.name}: {each.why}", where="/health#failing", then=tries)
    for node in health.nodes:
        if node.silent:
            then = _("See whether this process still runs, and reaches the database.")
            yield Trouble(what=f"{node.name} is silent", where="/health#processes", then=then)
        for each in node.failing:
            words = f"{node.name}: {each.name}: {each.why}"
            yield Trouble(what=words, where="/health#processes", then=tries)
    for name, count in health.channels:
        words = f"channel {name}: {many(count, 'message')} not sent"
        then = _("See that its address takes messages; they are sent again by themselves.")
        yield Trouble(what=words, where="/health#channels", then=then)
    if health.aside:
        then = _("Mend what each row says; it is tried again by itself.")
        yield Trouble(what=f"{len(health.aside)} set aside", where="/health#aside", then=then)
    for whose, said in health.clocks:
        yield Trouble(what=f"clock of {whose}: {said}", where="/health#clocks")
    if health.tests:
        words = f"{many(len(health.tests), 'policy test')} failed"
        yield Trouble(
            what=words, where="/health#tests", then=_("Correct the policy, or what its test expects.")
        )
    if health.held:
        words = f"{many(len(health.held), 'ticket')} held"
        yield Trouble(what=words, where="/now?state=held", then=_("Look at why, and release what may go on."))


def start_of(asked: Mapping[str, str]) -> int:
    """The place from which rows are asked for. ValueError for what is none."""
    return ledger.line_id(asked.get("from") or "0")


def health_page(
    connection: Connection,
    trouble: str | None,
    failing: tuple[Failing, ...],
    clocks: tuple[tuple[str, str], ...],
    others: tuple[Node, ...],
    calls: tuple[Calls, ...],
    tests: tuple[FailedTest, ...],
    policies: tuple[PolicyHealth, ...],
    now: Instant,
) -> Health:
    """How the service is doing, as the database, this process and `others` of its fleet know it."""
    return Health(
        trouble=trouble or "",
        failing=failing,
        clocks=clocks,
        nodes=tuple(_node(one) for one in others),
        aside=holds.every_aside(connection),
        channels=tuple(notices.failing(connection).items()),
        backlog=inbox.backlog(connection),
        oldest=inbox.oldest_open(connection),
        timers=inbox.outstanding_timers(connection),
        writes=tuple((str(state), many) for state, many in writes.counts(connection).items()),
        accounts=tuple(_account(connection, one, now) for one in accounts.every(connection)),
        calls=calls,
        held=holds.every(connection),
        tests=tests,
        results=changed_results(connection),
        policies=policies,
    )


def _node(one: Node) -> NodeHealth:
    return NodeHealth(
        name=one.name,
        roles=one.roles,
        heard=one.at,
        silent=one.silent,
        failing=one.failing,
        skews=tuple((whose or DATABASE, skew) for whose, skew in sorted(one.skews.items())),
        clocks=telling(one.skews),
    )


def _account(connection: Connection, one: ConnectedAccount, now: Instant) -> AccountHealth:
    return AccountHealth(
        name=one.name,
        paused=one.paused_reason or "",
        oldest=inbox.oldest_open(connection, one.name),
        rests_until=max(pauses(connection, one.name, now).values(), default=None),
        failed=sum(ledger.count(connection, one.name, what, now - DAY, now) for what in FAILED),
        budgets=limits_of(connection, one.name),
        polled=accounts.cursor_updated(connection, one.name, "poll"),
        census=one.census_at,
        webhook=inbox.last_webhook(connection, one.name),
    )


def noise(connection: Connection, now: Instant) -> tuple[Noise, ...]:
    """Policies by how often they fired in the last seven days, the noisiest first. It counts in the database."""
    begin = _midnights_ago(now, DAYS_BACK - 1)
    last = ledger.last_of_policies(connection, SPOKE)
    days = ledger.by_policy_and_day(connection, (*SPOKE, "acknowledged", "rejected"), begin, DAYS_BACK)
    came, nothing = ledger.came_of(connection, begin, FALSE_ALARM), (0,) * DAYS_BACK
    rows = []
    for name in {*came, *last}:
        each = came.get(name)
        spoke = tuple(map(sum, zip(*(days.get((name, what), nothing) for what in SPOKE), strict=True)))
        rows.append(
            Noise(
                policy=name,
                fired=sum(spoke),
                escalations=each.escalations if each else 0,
                last_fired=last.get(name),
                tickets=each.tickets if each else 0,
                days=spoke,
                acknowledged=sum(days.get((name, "acknowledged"), nothing)),
                overruled=(each.overruled if each else 0) + sum(days.get((name, "rejected"), nothing)),
                false_alarms=each.false_alarms if each else 0,
            )
        )
    return tuple(sorted(rows, key=lambda row: (-row.fired, row.policy)))


def _midnights_ago(now: Instant, days: int) -> Instant:
    """The beginning of the reader's day so many days ago."""
    local = datetime.fromtimestamp(now, READER.get().zone) - timedelta(days=days)
    return int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())


def _row(connection: Connection, ref: TicketRef, episode: Episode) -> tuple[Row, ...]:
    known = tickets.known(connection, ref)
    if known is None:
        return ()
    judged = next((each for each in known.judged or () if each.policy == episode.policy), None)
    level = next_waiting(judged)
    passed = episode.passed[-1] if episode.passed else None
    return (
        Row(
            ref=ref,
            subject=known.ticket.subject,
            link=known.ticket.link,
            group=known.ticket.group.name if known.ticket.group else "",
            policy=episode.policy,
            level=passed.level if passed else "",
            owner=known.owner or (episode.owner.name if episode.owner else ""),
            since=passed.at if passed else episode.started,
            acknowledged_by=episode.acknowledged_by or "",
            snoozed_until=episode.snoozed_until,
            awaiting=episode.awaiting or "",
            next_level=level.name if level else "",
            next_due=level.due if level else None,
            why=trace_of(judged).verdict if judged else "",
            observed=passed is not None and not any(each.how in REAL for each in episode.passed),
            observes=judged is not None and judged.mode == "observe",
        ),
    )
