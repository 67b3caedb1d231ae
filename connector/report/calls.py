"""Where the requests to a helpdesk went, what a census will cost, what would save most. Reads the database alone."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil

from sqlalchemy import Connection

from adapters.base import Census, Limit, Vendor
from connector.store import fleet, inbox, tickets
from policies.language.policy import PolicySet
from policies.model import Instant, Seconds

HOUR: Seconds = 3600
DAY: Seconds = 86400
WEEK: Seconds = 7 * DAY
OPEN_TICKETS = "open tickets"
"""What the requests of a census are counted under."""

CENSUS_PART = 0.7
"""How much of our share a census takes at most."""

SPARED_POLL: Seconds = 300
"""How often changes are polled where webhooks bring them first."""

WORTH = 0.1
"""A saving is named from this part of all requests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What so many requests of the last hour, day and week were for. Hours are whole ones by the clock."""

    purpose: str
    hour: int
    day: int
    week: int


DRAWN = 4
"""So many purposes are told apart by the hour; the others are one."""

OTHERS = "others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The requests of the last 24 hours, hour by hour up to this one, as all processes counted them: `names` are what
    most of them were for, and the rest; each of the `counts` has the beginning of an hour and a number for each name.
    `limit` is what the helpdesk allows in an hour, None where it named none."""

    names: tuple[str, ...] = ()
    counts: tuple[tuple[Instant, tuple[int, ...]], ...] = ()
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """One account's requests. `census` is how many the next one takes to list the open tickets, `seconds` how long that
    is within our share, None where no limit was told."""

    account: str
    spent: tuple[Spent, ...]
    limits: tuple[Limit, ...]
    share: float
    open_tickets: int
    census: int
    seconds: Seconds | None
    advice: tuple[str, ...]
    hours: Hours = Hours()

    @property
    def day(self) -> int:
        """All of the last 24 hours."""
        return sum(each.day for each in self.spent)


def calls_of(
    connection: Connection,
    account: str,
    *,
    vendor: Vendor | None,
    share: float,
    poll: Seconds,
    policies: PolicySet | None,
    now: Instant,
) -> Calls:
    """What is known of one account of this helpdesk. Without policies (they have errors) no advice goes by them."""
    hour = now // HOUR * HOUR
    by_span: list[Mapping[str, int]] = [
        fleet.sent_by_purpose(connection, account, since)
        for since in (hour, hour - DAY + HOUR, hour - WEEK + HOUR)
    ]
    spent = tuple(
        Spent(
            purpose=purpose,
            hour=by_span[0].get(purpose, 0),
            day=by_span[1].get(purpose, 0),
            week=many,
        )
        for purpose, many in sorted(by_span[2].items(), key=lambda each: (-each[1], each[0]))
    )
    limits = fleet.limits_of(connection, account)
    many = tickets.count_open(connection, account)
    cost = vendor.census if vendor else Census()
    census, seconds = census_of(many, limits, share, cost, by_span[1].get(OPEN_TICKETS, 0))
    webhook = inbox.last_webhook(connection, account)
    told = webhook is not None and now - webhook < DAY
    return Calls(
        account=account,
        spent=spent,
        limits=limits,
        share=share,
        open_tickets=many,
        census=census,
        seconds=seconds,
        advice=tuple(savings(by_span[1], poll, policies, account, webhooks=told)),
        hours=hours_of(fleet.sent_by_hour(connection, account, hour - DAY + HOUR), hour, widest(limits)),
    )


def hours_of(sent: Mapping[Instant, Mapping[str, int]], hour: Instant, whole: Limit | None) -> Hours:
    """The day hour by hour; of the purposes those that took most by name."""
    of_day = Counter[str]()
    for each in sent.values():
        of_day.update(each)
    ranked = sorted(of_day, key=lambda name: (-of_day[name], name))
    drawn, rest = ranked[:DRAWN], ranked[DRAWN:]
    names = (*drawn, *((OTHERS,) if rest else ()))
    counts = []
    for begin in range(hour - DAY + HOUR, hour + HOUR, HOUR):
        known = sent.get(begin, {})
        numbers = [known.get(name, 0) for name in drawn]
        counts.append((begin, tuple(numbers + ([sum(known.get(name, 0) for name in rest)] if rest else []))))
    limit = None if whole is None else whole.total * HOUR // whole.window
    return Hours(names=names, counts=tuple(counts), limit=limit)


def census_of(
    open_tickets: int, limits: Iterable[Limit], share: float, cost: Census, taken: int
) -> tuple[int, Seconds | None]:
    """How many requests list so many tickets, and how long that takes within our share; None where no limit was told.
    Where closed tickets stand in the list as well, nobody knows how long it is but by what the last day's censuses have
    `taken`."""
    told = tuple(limits)
    requests = (ceil(open_tickets / cost.rows) or 1) * cost.requests
    if cost.of_all:
        requests = max(requests, taken)
    whole = widest(told)
    if whole is None:
        return requests, None
    own = (each for each in told if cost.bucket and each.bucket == cost.bucket)
    waits = [(whole, requests), *((each, ceil(requests / cost.requests)) for each in own)]
    return requests, max(
        ceil(many / max(1, int(limit.total * share * CENSUS_PART)) * limit.window) for limit, many in waits
    )


def widest(limits: Iterable[Limit]) -> Limit | None:
    """The account's own limit; where there is none, that which gives out first."""
    told = tuple(limits)
    whole = next((each for each in told if each.bucket == "account"), None)
    return whole or min(told, key=lambda each: each.total / each.window, default=None)


def savings(
    day: Mapping[str, int], poll: Seconds, policies: PolicySet | None, account: str, *, webhooks: bool
) -> Iterator[str]:
    """What would save at least a tenth of the day's requests, the most first."""
    whole = sum(day.values())
    found: list[tuple[int, str]] = []
    polled = day.get("changes", 0)
    if poll < SPARED_POLL:
        less = int(polled * (1 - poll / SPARED_POLL))
        if webhooks:
            found.append((less, f'webhooks arrive: `poll = "5m"` would save about {less} a day'))
        else:
            found.append((less, f'with webhooks, `poll = "5m"` would do, and save about {less} a day'))
    idle = day.get("idle look", 0)
    if policies is not None and idle > 0:
        reading = [each.name for each in policies.serving(account) if each.needs]
        names = ", ".join(f'"{name}"' for name in reading[:5])
        if names:
            found.append(
                (idle, f"looks that wrote nothing took {idle}: {names} ask for more than a row tells")
            )
    for less, text in sorted(found, reverse=True):
        if whole and less >= WORTH * whole:
            yield text
