"""Who is escalated now: one row a ticket, kept with each look, so that a list of many is searched, filtered and sorted
by the database and costs what it shows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    delete,
    func,
    literal,
    not_,
    or_,
    select,
    union_all,
)

from connector.store import codec
from connector.store.database import put, rows_of, the
from connector.store.schema import escalated, hold
from policies.history import Sight
from policies.language.clocks import customer_waiting
from policies.model import Instant, Seconds, Ticket, TicketRef
from policies.rules.judgement import JudgedLevel, Judgement
from policies.rules.observe import Scene
from policies.state import Episode, How, Standing

State = Literal["overdue", "soon", "later", "held", "acknowledged", "snoozed", "observed", "coming"]
STATES: tuple[State, ...] = get_args(State)
"""How a ticket stands, the worst first. Overdue is one whose next level should have come by now, or whose last one has
come while nobody has answered for it; `soon` one whose next level comes within the hour. `coming` has had no level."""

SOON: Seconds = 3600
NEVER: Instant = 2**62

OPEN, ANSWERED, OBSERVED, AHEAD = range(4)
"""What a row ranks by, before its time: nobody has answered; somebody has, or asked for quiet; nobody was told, since
it is only observed; no level has come."""

REAL = frozenset({How.FIRED, How.REFUSED, How.REJECTED})
"""How a level is passed by more than being observed, or by being overtaken by one that is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated:
    """A ticket that is escalated, or on the way to be, as its worst policy has it; `more` are the others. `owner` is
    the ticket's, one whatever number of policies escalate it (rule 9), and empty before any level. `level` came
    `since`; `at` is when something is to happen next, or since when nothing does though nobody has answered.
    `waits_since` is since when the customer waits for a reply. `observed` says that the level was only observed, and
    `observes` that the policy only observes: nobody has been told, and nobody will be."""

    ref: TicketRef
    number: str = ""
    subject: str
    link: str
    team: str
    assignee: str
    policy: str
    more: tuple[str, ...]
    level: str
    owner: str
    since: Instant | None
    at: Instant
    next_level: str
    next_due: Instant | None
    awaiting: str
    acknowledged_by: str
    snoozed_until: Instant | None
    waits_since: Instant | None
    observed: bool
    observes: bool
    rank: int

    def stands(self, now: Instant, *, is_held: bool) -> State:
        """How it stands now."""
        if is_held:
            return "held"
        if self.rank == ANSWERED:
            return "acknowledged" if self.acknowledged_by else "snoozed"
        if self.rank != OPEN:
            return "observed" if self.rank == OBSERVED else "coming"
        return "overdue" if self.at <= now else "soon" if self.at <= now + SOON else "later"


def next_waiting(judged: Judgement | None) -> JudgedLevel | None:
    """The level that is due next by this judgement."""
    levels = () if judged is None else judged.levels
    return next((each for each in levels if each.state == "waiting" and each.due is not None), None)


def escalated_of(
    ticket: Ticket,
    standings: Sequence[Standing],
    judged: Sequence[Judgement],
    owner: str,
    scene: Scene | None,
    now: Instant,
    *,
    is_held: bool = False,
) -> Escalated | None:
    """The ticket's row by a look; None where nothing runs on it. One that `is_held` has had no level yet, and would."""
    by_policy = {each.policy: each for each in judged}
    running = [each.running for each in standings if each.running is not None]
    rows = [_of_policy(ticket, each, by_policy.get(each.policy), now) for each in running]
    if not rows:
        return None
    if is_held:
        rows = [replace(row, rank=OPEN, at=min(row.at, now)) if row.rank == AHEAD else row for row in rows]
    first, *others = sorted(rows, key=lambda row: (row.rank, row.at, row.policy))
    named = owner or next((each.owner.name for each in running if each.owner is not None), "")
    return replace(
        first,
        more=tuple(row.policy for row in others),
        owner=named if any(row.level for row in rows) else "",
        waits_since=_waits_since(ticket, scene),
    )


def _of_policy(ticket: Ticket, episode: Episode, judged: Judgement | None, now: Instant) -> Escalated:
    level, passed = next_waiting(judged), episode.passed[-1] if episode.passed else None
    since = passed.at if passed else episode.started
    observes = judged is not None and judged.mode == "observe"
    observed = passed is not None and not any(each.how in REAL for each in episode.passed)
    snoozed = episode.snoozed_until if (episode.snoozed_until or 0) > now else None
    due, next_level = (level.due, level.name) if level else (None, "")
    if episode.under_way is not None:  # until its write is through, nothing has come
        due, next_level = episode.under_way.due, episode.under_way.level
    asks = bool(episode.awaiting)
    if passed is None and not asks:
        rank, at = AHEAD, due or NEVER
    elif observed or (observes and asks):
        rank, at = OBSERVED, due or since
    elif episode.acknowledged_by or snoozed:
        rank, at = ANSWERED, snoozed or since
    else:
        rank, at = OPEN, since if asks or due is None else due
    return Escalated(
        ref=ticket.ref,
        number=ticket.number,
        subject=ticket.subject,
        link=ticket.link,
        team=ticket.group.name if ticket.group else "",
        assignee=ticket.assignee.name if ticket.assignee else "",
        policy=episode.policy,
        more=(),
        level=passed.level if passed else "",
        owner="",
        since=since,
        at=at,
        next_level=next_level,
        next_due=due,
        awaiting=episode.awaiting or "",
        acknowledged_by=episode.acknowledged_by or "",
        snoozed_until=snoozed,
        waits_since=None,
        observed=observed,
        observes=observes,
        rank=rank,
    )


def _waits_since(ticket: Ticket, scene: Scene | None) -> Instant | None:
    histories = () if scene is None else tuple(scene.histories.values())
    return customer_waiting(Sight(ticket=ticket, history=histories[0])).start if histories else None


_THIS = rows_of(escalated.c.account, escalated.c.ticket)
_FORGET = delete(escalated).where(*_THIS)


def keep(connection: Connection, ref: TicketRef, row: Escalated | None, before: str | None) -> None:
    """Keep the ticket's row, where the text of it was that `before`; nothing is written where it is the same."""
    if row is None:
        if before is not None:
            connection.execute(_FORGET, the(ref))
        return
    text = codec.dump(Escalated, row)
    if text != before:
        put(connection, escalated, [columns_of(row, text)])


def columns_of(row: Escalated, text: str) -> dict[str, Any]:
    """The row as the table has it: what is asked by, and the rest as text."""
    words = (
        str(row.ref),
        row.number,
        row.subject,
        row.team,
        row.owner,
        row.assignee,
        row.level,
        row.policy,
        *row.more,
    )
    return {
        "account": row.ref.account,
        "ticket": row.ref.id,
        "rank": row.rank,
        "at": row.at,
        "waits_since": NEVER if row.waits_since is None else row.waits_since,
        "since": NEVER if row.since is None else row.since,
        "policies": f"\n{row.policy}\n" + "".join(f"{name}\n" for name in row.more),
        "level": row.level,
        "owner": row.owner,
        "team": row.team,
        "assignee": row.assignee,
        "acknowledged_by": row.acknowledged_by,
        "enforced": not (row.observed or row.observes),
        "words": " ".join(filter(None, words)),
        "row": text,
    }


Sort = Literal["worst", "waits", "since", "ticket", "level", "owner", "team", "policy"]
SORTS: tuple[Sort, ...] = get_args(Sort)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows are wanted, and in which order; what is empty or None leaves nothing out. `team`, `level` and
    `owner` may be `NONE`; `enforced` are those on which a level came that was not only observed; `people` are the names
    of one person; `backward` turns the order round."""

    words: tuple[str, ...] = ()
    account: str = ""
    team: str = ""
    owner: str = ""
    policy: str = ""
    level: str = ""
    state: State | None = None
    enforced: bool | None = None
    people: tuple[str, ...] | None = None
    sort: Sort = "worst"
    backward: bool = False


NONE = "-"
"""Stands for no team, level or owner."""


def listed(
    connection: Connection, wanted: Wanted, now: Instant, *, limit: int, offset: int
) -> tuple[tuple[Escalated, State], ...]:
    """Some of the rows that are wanted, in order, each with how it stands."""
    order = [column.desc() if wanted.backward else column for column in _ORDERS[wanted.sort]]
    rows = connection.execute(
        select(escalated.c.row, hold.c.ticket.label("held"))
        .select_from(_BESIDE_HOLDS)
        .where(*_wanted(wanted), *(() if wanted.state is None else (_state(now) == wanted.state,)))
        .order_by(*order, escalated.c.account, escalated.c.ticket)
        .limit(limit)
        .offset(offset)
    )
    found = ((codec.load(Escalated, row.row), row.held is not None) for row in rows)
    return tuple((row, row.stands(now, is_held=held)) for row, held in found)


def counted(connection: Connection, wanted: Wanted, now: Instant) -> Mapping[State, int]:
    """How many rows there are of each state, of those that are wanted in whatever state. All are counted as if none
    were held, in the order of an index and by numbers; the few that are held are then counted on their own."""
    of, which = escalated.c, _wanted(wanted)
    rank = of.rank + 0 if which else of.rank  # what is asked of rows is asked in the order in which they lie
    told = rank, func.count(), *map(_how_many, (of.acknowledged_by != "", of.at <= now, of.at <= now + SOON))
    rows = connection.execute(
        union_all(
            select(literal(1), *told).where(*which).group_by(rank),
            select(literal(-1), *told).join_from(hold, escalated, _HELD).where(*which).group_by(rank),
        )
    )
    found = Counter[State]()
    for sign, ranked, many, acknowledged, late, soon in rows:
        if ranked == ANSWERED:
            by_state: Mapping[State, int] = {"acknowledged": acknowledged, "snoozed": many - acknowledged}
        elif ranked == OPEN:
            by_state = {"overdue": late, "soon": soon - late, "later": many - soon}
        else:
            by_state = {"observed" if ranked == OBSERVED else "coming": many}
        for state, count in by_state.items():
            found[state] += sign * count
        found["held"] += many if sign < 0 else 0
    return {name: found[name] for name in STATES if found[name]}


def _how_many(which: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((which, 1), else_=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How many of the tickets that some level has come on, only observed ones left out, have which level, team and
    owner, the most first; the empty name for none."""

    tickets: int
    levels: tuple[tuple[str, int], ...]
    teams: tuple[tuple[str, int], ...]
    owners: tuple[tuple[str, int], ...]


def shares(connection: Connection) -> Shares:
    """How the tickets that are escalated now are spread. One statement, which counts in the database."""
    of, many = escalated.c, func.count().label("many")
    rows = connection.execute(
        select(of.level, of.team, of.owner, many)
        .where(of.enforced, of.level != "")
        .group_by(of.level, of.team, of.owner)
    ).all()

    def by(name: str) -> tuple[tuple[str, int], ...]:
        found = Counter[str]()
        for row in rows:
            found[getattr(row, name)] += row.many
        return tuple(sorted(found.items(), key=lambda each: (-each[1], each[0])))

    return Shares(
        tickets=sum(row.many for row in rows),
        levels=by("level"),
        teams=by("team"),
        owners=by("owner"),
    )


def choices(connection: Connection, limit: int) -> Mapping[str, tuple[str, ...]]:
    """The teams and the owners that most rows have, by name."""
    found = {}
    for name, column in (("team", escalated.c.team), ("owner", escalated.c.owner)):
        most = select(column).where(column != "").group_by(column).order_by(func.count().desc()).limit(limit)
        found[name] = tuple(sorted(connection.execute(most).scalars()))
    return found


_ORDERS: Mapping[Sort, tuple[ColumnElement[Any], ...]] = {
    "worst": (escalated.c.rank, escalated.c.at, escalated.c.waits_since),
    "waits": (escalated.c.waits_since,),
    "since": (escalated.c.since,),
    "ticket": (escalated.c.account, func.length(escalated.c.ticket), escalated.c.ticket),
    "level": (escalated.c.level, escalated.c.rank, escalated.c.at),
    "owner": (escalated.c.owner, escalated.c.rank, escalated.c.at),
    "team": (escalated.c.team, escalated.c.rank, escalated.c.at),
    "policy": (escalated.c.policies, escalated.c.rank, escalated.c.at),
}
_HELD = and_(hold.c.account == escalated.c.account, hold.c.ticket == escalated.c.ticket)
_BESIDE_HOLDS = escalated.outerjoin(hold, _HELD)


def _state(now: Instant) -> ColumnElement[str]:
    rank, at = escalated.c.rank, escalated.c.at
    return case(
        (hold.c.ticket.is_not(None), literal("held")),
        (and_(rank == ANSWERED, escalated.c.acknowledged_by != ""), literal("acknowledged")),
        (rank == ANSWERED, literal("snoozed")),
        (rank == OBSERVED, literal("observed")),
        (rank == AHEAD, literal("coming")),
        (at <= now, literal("overdue")),
        (at <= now + SOON, literal("soon")),
        else_=literal("later"),
    )


def _wanted(wanted: Wanted) -> list[ColumnElement[bool]]:
    of = escalated.c
    which = [of.words.icontains(word, autoescape=True) for word in wanted.words]
    if wanted.account:
        which.append(of.account == wanted.account)
    for column, value in ((of.team, wanted.team), (of.level, wanted.level), (of.owner, wanted.owner)):
        if value:
            which.append(column == ("" if value == NONE else value))
    if wanted.policy:
        which.append(of.policies.contains(f"\n{wanted.policy}\n", autoescape=True))
    if wanted.enforced is not None:
        came = and_(of.enforced, of.level != "")
        which.append(came if wanted.enforced else not_(of.enforced))
    if wanted.people is not None:
        mine = (of.owner, of.assignee, of.acknowledged_by)
        which.append(or_(*(column.in_(wanted.people) for column in mine)))
    return which
