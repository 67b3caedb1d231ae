"""The list of what is escalated: what is asked of it in an address, the rows and counts that answer, and what became of
the orders that somebody gave there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection

from connector.store import accounts, codec, escalated, holds, ledger
from connector.store.escalated import NONE, SORTS, STATES, Escalated, State, Wanted
from connector.store.holds import HeldStart, Hold
from policies.model import Instant, TicketRef

PAGE = 100
CHOICES = 60
"""So many teams and owners stand in the form to choose from; any other can stand in the address."""
LONGEST_WORDS = 200
FARTHEST = "999999"
STOOD_STILL = 20
"""So many accounts and starts that are held stand over the list."""
ASKED = ("q", "account", "team", "owner", "policy", "level", "state", "mode", "mine", "sort", "from")
"""What an address may say of the list."""
ASKED_OF: Mapping[str, tuple[str, ...]] = {
    "/now": ASKED,
    "/due": ("account", "policy", "state", "within", "from"),
}
"""What the address of each list may say."""
MODES: Mapping[str, bool] = {"enforced": True, "observed": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Escalated):
    """A row of the list, and how its ticket stands: overdue, soon, later, held, acknowledged, snoozed, observed or
    coming."""

    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """Some of what is escalated, the worst first if nothing else is asked, at most `PAGE` rows: `total` of the state
    that is asked for, `counts` of each state. `held` and `starts` stand still as a whole account, or a whole start of a
    policy, does."""

    rows: tuple[Listed, ...]
    total: int
    counts: Mapping[State, int]
    held: tuple[Hold, ...]
    starts: tuple[HeldStart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTold:
    """What became of one order: `why` it was refused at once, empty if it was left for the ticket's next look."""

    ref: TicketRef
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of orders that were given together; lines of the ledger that follow the one of the id `after` say
    more."""

    verb: str
    who: str
    at: Instant
    after: int
    orders: tuple[OrderTold, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """One order by now: still `given`, `done`, or `refused`, and why."""

    state: str
    text: str


def names_of(connection: Connection, name: str, of: Sequence[str]) -> tuple[str, ...]:
    """What helpdesks call somebody who uses the console by this name: themselves, by name or address."""
    found, mine = {name: None}, name.lower()
    for account in of:
        read = accounts.read_directory(connection, account)
        for agent in read.directory.agents if read else ():
            if mine in (agent.person.name.lower(), (agent.person.address or "").lower()):
                found[agent.person.name] = None
    return tuple(found)


def wanted_of(asked: Mapping[str, str], of: Sequence[str], people: tuple[str, ...]) -> Wanted:
    """What an address asks for. ValueError for what cannot be asked."""

    def one_of(name: str, known: Sequence[Any]) -> Any:
        said = asked.get(name, "")
        if said and said not in known:
            raise ValueError(f"{name}={said[:50]!r}: there is {', '.join(map(str, known))}")
        return said

    words, sort = asked.get("q", ""), asked.get("sort", "")
    if len(words) > LONGEST_WORDS:
        raise ValueError(f"q has at most {LONGEST_WORDS} characters")
    backward = sort.startswith("-")
    if sort and sort.removeprefix("-") not in SORTS:
        raise ValueError(
            f"sort={sort[:50]!r}: there is {', '.join(SORTS)}; with - before it, the other way round"
        )
    return Wanted(
        words=tuple(words.split()),
        account=one_of("account", of),
        team=asked.get("team", ""),
        owner=asked.get("owner", ""),
        policy=asked.get("policy", ""),
        level=asked.get("level", ""),
        state=one_of("state", STATES) or None,
        enforced=MODES.get(one_of("mode", tuple(MODES))),
        people=people if one_of("mine", ("yes",)) else None,
        sort=next((each for each in SORTS if each == sort.removeprefix("-")), "worst"),
        backward=backward,
    )


def start_of(asked: Mapping[str, str]) -> int:
    """The place from which rows are asked for. ValueError for what is none."""
    said = asked.get("from") or "0"
    if not said.isdecimal() or len(said) > len(FARTHEST):
        raise ValueError(f"from={said[:30]!r}: a list goes from 0 to {FARTHEST}")
    return int(said)


def now_page(
    connection: Connection, asked: Mapping[str, str], of: Sequence[str], user: str, now: Instant
) -> Now:
    """What is escalated at this moment, as far as it is `asked` for, on the accounts `of` a service that `user` looks
    at: in a number of statements that does not grow. ValueError for what cannot be asked."""
    people = names_of(connection, user, of) if asked.get("mine") else ()
    wanted, start = wanted_of(asked, of, people), start_of(asked)
    counts = escalated.counted(connection, wanted, now)
    return Now(
        rows=tuple(
            Listed(**{each.name: getattr(row, each.name) for each in fields(row)}, state=state)
            for row, state in escalated.listed(connection, wanted, now, limit=PAGE, offset=start)
        ),
        total=sum(counts.values()) if wanted.state is None else counts.get(wanted.state, 0),
        counts=counts,
        held=holds.of_accounts(connection, STOOD_STILL),
        starts=holds.of_starts(connection, STOOD_STILL),
    )


def address(asked: Mapping[str, str], at: str = "/now", **changes: object) -> str:
    """The address of a list with what was asked for, but for the changes; it begins at its beginning again, unless they
    say where."""
    kept = {name: asked[name] for name in ASKED_OF[at] if asked.get(name) and name != "from"}
    said = {name: value for name, value in (kept | changes).items() if value}
    return f"{at}?{urlencode(said)}" if said else at


def dump_told(told: Told) -> str:
    """To be kept with a session."""
    return codec.dump(Told, told)


def load_told(text: str) -> Told | None:
    """The same again; None where nothing is."""
    return codec.load(Told, text) if text else None


def fates(connection: Connection, told: Told) -> Mapping[TicketRef, Fate]:
    """What became of each order by now: as the ledger says it once a look has carried it out."""
    left = [each.ref for each in told.orders if not each.why]
    said = ledger.of_person(connection, left, told.who, told.after)
    found = {each.ref: Fate(state="refused", text=each.why) for each in told.orders if each.why}
    for ref in left:
        line = said.get(ref)
        if line is None:
            found[ref] = Fate(state="given", text="given; the next look carries it out")
        elif line.what == "order refused":
            found[ref] = Fate(state="refused", text=line.text or line.what)
        else:
            found[ref] = Fate(state="done", text=line.what)
    return found


def with_asked(
    choices: Mapping[str, Sequence[str]], asked: Mapping[str, str]
) -> Mapping[str, tuple[str, ...]]:
    """The choices, with what is asked for among them even if few have it."""
    found = {}
    for name, known in choices.items():
        said = asked.get(name, "")
        found[name] = (*known, said) if said and said != NONE and said not in known else tuple(known)
    return found
