"""One week of two small helpdesks, stored through the store's own functions, small enough to reckon by hand.

The week is Monday 2 to Friday 6 March 2026 in Berlin, looked back on from Friday 13 March, 10:00. Offices are open on
weekdays from 9 to 17. In `acme` every ticket has priority high: a first reply is promised within 4 hours, a
resolution within 24, by the clock on the wall. What happens to each ticket stands beside it.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connector.config.holidays import calendars
from connector.config.settings import load
from connector.store import accounts, ledger, tickets, writes
from connector.store.database import Store
from connector.store.episodes import keep_episodes
from connector.store.ledger import LedgerEntry
from connector.store.writes import State
from connector.work.context import Rules
from policies.model import (
    Act,
    Agent,
    Change,
    Directory,
    Group,
    Message,
    Metric,
    Need,
    Person,
    Priority,
    Satisfaction,
    Stage,
    Status,
    Target,
    Ticket,
    TicketRef,
    Value,
    Who,
)
from policies.state import Episode, How, Passed
from tests.connector.store.samples import a_write

BERLIN = ZoneInfo("Europe/Berlin")
DAYS = {"sun": 1, "mon": 2, "tue": 3, "wed": 4, "thu": 5, "fri": 6}
NOW = int(datetime(2026, 3, 13, 10, tzinfo=BERLIN).timestamp())
TOLD = frozenset({Need.MESSAGES, Need.CHANGES, Need.TARGETS})
CLEO = Person(id="c", name="Cleo")
TIER_1, TIER_2, DUTY = (Group(id=i, name=n) for i, n in (("t1", "Tier 1"), ("t2", "Tier 2"), ("d", "Duty")))

CONFIG = """
[service]
database = "sqlite:///uptier.db"
mode = "enforce"
default_owner = "Tier 2"
[accounts.acme]
adapter = "zendesk"
url = "http://127.0.0.1:1"
auth = { kind = "bearer", token = "secret:t" }
[accounts.beta]
adapter = "zendesk"
url = "http://127.0.0.1:1"
auth = { kind = "bearer", token = "secret:t" }
[channels.leads]
url = "secret:leads"
[calendars.office]
timezone = "Europe/Berlin"
hours = { mon-fri = "09:00-17:00" }
[sla.standard]
accounts = ["acme"]
first_reply = { high = "4h" }
resolution = { high = "24h" }
[[policy]]
name = "waits"
clock = "customer_waiting"
[policy.when]
status = ["new", "open"]
[[policy.level]]
name = "one"
after = "30m"
assign = { group = "Tier 2" }
[[policy.level]]
name = "two"
after = "2h"
assign = { group = "Duty" }
[[policy]]
name = "tells"
clock = "created"
[policy.when]
status = ["new", "open"]
[[policy.level]]
name = "channel"
after = "5m"
notify = ["leads"]
[[policy]]
name = "warns"
clock = "first_reply"
[policy.when]
status = ["new", "open"]
[[policy.level]]
name = "soon"
before = "30m"
tags = ["soon"]
"""


def at(text: str) -> int:
    """`mon 09:30` or `mon 09:30:10`, in Berlin."""
    day, _, clock = text.partition(" ")
    hour, minute, second = (*map(int, clock.split(":")), 0)[:3]
    return int(datetime(2026, 3, DAYS[day], hour, minute, second, tzinfo=BERLIN).timestamp())


@dataclass
class Told:
    """A ticket's history as it is told, one act after the other."""

    number: str
    created: str
    account: str = "acme"
    group: Group | None = TIER_1
    status: Status = Status.OPEN
    facts: list[Message | Change] = field(default_factory=list)

    def _act(self, when: str, who: Who, person: str | None, episode: str = "") -> Act:
        place = len(self.facts) + 1
        own = frozenset({episode}) if episode else frozenset[str]()
        return Act(sequence=place, id=str(place), at=at(when), who=who, person=person, episodes=own)

    def writes(self, when: str, person: str = "c", *, public: bool = True, machine: bool = False) -> "Told":
        """Somebody, by default the customer, writes a message."""
        who = Who.AUTOMATION if machine else Who.CUSTOMER if person == "c" else Who.AGENT
        act = self._act(when, who, person)
        self.facts.append(Message(act=act, public=public, body="words", auto_reply=machine))
        return self

    def sets(
        self, when: str, name: str, before: Value, after: Value, who: Who = Who.AGENT, *, by: str = "a"
    ) -> "Told":
        """A field changes. For our own write `by` is the episode's key."""
        act = self._act(
            when, who, None if who in (Who.OURS, Who.AUTOMATION) else by, by if who is Who.OURS else ""
        )
        self.facts.append(Change(act=act, field=name, before=before, after=after))
        if name == "status":
            self.status = Status(str(after))
        return self

    def moves(self, when: str, before: Group, after: Group, who: Who = Who.AGENT, *, by: str = "a") -> "Told":
        """The ticket goes from one group to another."""
        self.group = after
        return self.sets(when, "group", before.id, after.id, who, by=by)

    def ticket(self, **more: Any) -> Ticket:
        """The ticket as it was last read."""
        updated = max([at(self.created), *(fact.act.at for fact in self.facts)])
        made = Ticket(
            ref=TicketRef(self.account, self.number),
            link="",
            subject=self.number,
            status=self.status,
            status_name=self.status,
            priority=Priority.HIGH,
            group=self.group,
            requester=CLEO,
            created=at(self.created),
            updated=updated,
            read_at=updated + 10,
            revision=str(updated),
            messages=tuple(fact for fact in self.facts if isinstance(fact, Message)),
            changes=tuple(fact for fact in self.facts if isinstance(fact, Change)),
            loaded=TOLD | ({Need.RATING} if self.account == "acme" else frozenset()),
        )
        return replace(made, **more)


def an_episode(
    ticket: str, started: str, *passed: Passed, policy: str = "waits", number: int = 1, **more: Any
) -> Episode:
    """An episode on an acme ticket, or on `beta/...`."""
    ref = ticket if "/" in ticket else f"acme/{ticket}"
    clock = {"waits": "customer_waiting", "tells": "created", "warns": "first_reply"}.get(policy, "created")
    return Episode(
        key=f"{ref}:{policy}:{number}",
        policy=policy,
        number=number,
        started=at(started),
        clock_start=at(started),
        clock=clock,
        passed=passed,
        **more,
    )


def level(name: str, due: str, when: str, how: How = How.FIRED) -> Passed:
    return Passed(level=name, how=how, at=at(when), due=at(due))


def keep(store: Store, ticket: Ticket, *episodes: Episode) -> None:
    """Store a look at the ticket, and its episodes."""
    with store.writing() as connection:
        tickets.record_look(
            connection,
            ticket,
            (),
            now=ticket.read_at,
            next_look=None,
            matched=True,
            owner=None,
            policy_hash="h",
        )
        keep_episodes(connection, ticket.ref, episodes)


def sent(store: Store, episode: Episode, planned: str, settled: str) -> None:
    """The level's first write was planned and settled at these times."""
    ref = TicketRef.parse(episode.key.split(":")[0])
    write = a_write(f"{episode.key}:{planned}:1", ref=ref)
    own = frozenset({episode.key})
    with store.writing() as connection:
        kept = writes.plan(
            connection, write, episodes=own, policy=episode.policy, level="", place=0, now=at(planned)
        )
        attempt = writes.begin(connection, write.key, 0, at(planned))
        assert attempt is not None
        assert kept is not None
        assert writes.settle(connection, replace(kept, attempt=attempt), State.DONE, at(settled))


def said(store: Store, episode: Episode, what: str, when: str, level: str | None, text: str) -> None:
    """A line in the ledger about what a person ordered."""
    ref = TicketRef.parse(episode.key.split(":")[0])
    line = LedgerEntry(
        at=at(when), account=ref.account, ticket=ref.id, what=what, who="eli", episode=episode.key,
        policy=episode.policy, level=level, text=text,
    )  # fmt: skip
    with store.writing() as connection:
        ledger.append(connection, [line])


def rules(folder: Path) -> Rules:
    """The policies and calendars of CONFIG, which is written into the folder."""
    path = folder / "uptier.toml"
    path.write_text(CONFIG, encoding="utf-8")
    loaded = load(path)
    assert loaded.policies is not None, loaded.problems
    return Rules(policies=loaded.policies, calendars=calendars(loaded.policies, NOW), first_ran={})


def furnish(store: Store) -> None:
    """The whole week."""
    people(store)
    escalated_and_answered(store)
    climbed_and_reopened(store)
    only_told(store)
    moved_to_and_fro(store)
    keep(store, Told("5", "tue 12:00").ticket(loaded=frozenset()))  # A5: no history, open, Tier 1
    taken_back_and_escalated_again(store)
    ordered_by_a_person(store)
    keep(store, Told("8", "thu 10:00").ticket(gone="deleted"))  # A8: deleted
    at_beta(store)


def people(store: Store) -> None:
    """Ann is in Tier 1, Ben in Tier 2, Dana on Duty, in both accounts."""
    agents = tuple(
        Agent(person=Person(id=key, name=name), groups=frozenset({group.id}))
        for key, name, group in (("a", "Ann", TIER_1), ("b", "Ben", TIER_2), ("n", "Dana", DUTY))
    )
    with store.writing() as connection:
        for account in ("acme", "beta"):
            directory = Directory(account=account, groups=(TIER_1, TIER_2, DUTY), agents=agents)
            accounts.save_directory(connection, directory, NOW)


def escalated_and_answered(store: Store) -> None:
    """A1: level one, due 9:30, decided 9:30:10, at the helpdesk 9:30:20. Ben answers 10:00:20, solves 11:00."""
    run = an_episode(
        "1", "mon 09:00:05", level("one", "mon 09:30", "mon 09:30:10"),
        acknowledged=at("mon 10:00:20"), ended=at("mon 10:00:30"), reason="stop_on agent_reply",
    )  # fmt: skip
    told = (
        Told("1", "mon 09:00").writes("mon 09:00").moves("mon 09:30:20", TIER_1, TIER_2, Who.OURS, by=run.key)
    )
    told.writes("mon 10:00:20", "b").sets("mon 11:00", "status", "open", "solved", by="b")
    keep(store, told.ticket(satisfaction=Satisfaction.GOOD, custom={"cause": "outage"}), run)
    sent(store, run, "mon 09:30:10", "mon 09:30:20")


def climbed_and_reopened(store: Store) -> None:
    """A2: both levels. Dana answers 13:00; solved Tuesday 10:00, reopened by Cleo Wednesday, solved Thursday without
    a word."""
    run = an_episode(
        "2", "mon 10:00", level("one", "mon 10:30", "mon 10:30"), level("two", "mon 12:00", "mon 12:00"),
        acknowledged=at("mon 13:00"), ended=at("mon 13:00:10"), reason="stop_on agent_reply",
    )  # fmt: skip
    told = (
        Told("2", "mon 10:00").writes("mon 10:00").moves("mon 10:30:05", TIER_1, TIER_2, Who.OURS, by=run.key)
    )
    told.moves("mon 12:00:05", TIER_2, DUTY, Who.OURS, by=run.key).writes("mon 13:00", "n")
    told.sets("tue 10:00", "status", "open", "solved", by="n").writes("wed 10:00")
    told.sets("wed 10:00", "status", "solved", "open", Who.CUSTOMER, by="c")
    told.sets("thu 10:00", "status", "open", "solved", by="n")
    keep(store, told.ticket(satisfaction=Satisfaction.BAD), run)
    sent(store, run, "mon 10:30", "mon 10:30:05")
    sent(store, run, "mon 12:00", "mon 12:00:05")


def only_told(store: Store) -> None:
    """A3: a channel is told at 11:05; Ann answers 11:10, solves 12:00."""
    run = an_episode(
        "3", "mon 11:00", level("channel", "mon 11:05", "mon 11:05"), policy="tells",
        acknowledged=at("mon 11:10"), ended=at("mon 12:00"), reason="solved",
    )  # fmt: skip
    told = Told("3", "mon 11:00").writes("mon 11:00").writes("mon 11:10", "a")
    told.sets("mon 12:00", "status", "open", "solved")
    keep(store, told.ticket(satisfaction=Satisfaction.GOOD), run)


def moved_to_and_fro(store: Store) -> None:
    """A4: a machine answers 9:01. People move it to Tier 2 and back. Answered 10:00, pending from 10:05 to 10:20,
    while Cleo waits from 10:10; answered 10:20, solved 10:30."""
    told = Told("4", "tue 09:00").writes("tue 09:00").writes("tue 09:01", "x", machine=True)
    told.moves("tue 09:10", TIER_1, TIER_2).moves("tue 09:20", TIER_2, TIER_1, by="b").writes(
        "tue 10:00", "a"
    )
    told.sets("tue 10:05", "status", "open", "pending").writes("tue 10:10").writes("tue 10:20", "a")
    told.sets("tue 10:20", "status", "pending", "open").sets("tue 10:30", "status", "open", "solved")
    keep(store, told.ticket())


def taken_back_and_escalated_again(store: Store) -> None:
    """A6: level one, due 9:30, fires late at 9:50; Eli takes it back 10:00. Escalated anew 11:00, still running."""
    first = an_episode(
        "6", "wed 09:00", level("one", "wed 09:30", "wed 09:50"), ended=at("wed 10:01"), reason="deescalated"
    )
    again = an_episode("6", "wed 10:30", level("one", "wed 11:00", "wed 11:00"), number=2)
    told = (
        Told("6", "wed 09:00").writes("wed 09:00").moves("wed 09:50", TIER_1, TIER_2, Who.OURS, by=first.key)
    )
    told.moves("wed 10:01", TIER_2, TIER_1, Who.OURS, by=first.key)
    told.moves("wed 11:00", TIER_1, TIER_2, Who.OURS, by=again.key)
    keep(store, told.ticket(), first, again)
    sent(store, first, "wed 09:50", "wed 09:50")
    sent(store, again, "wed 11:00", "wed 11:00")
    said(store, first, "deescalated", "wed 10:00", None, "by eli: by mistake")


def ordered_by_a_person(store: Store) -> None:
    """A7: Eli orders level one 9:05 and acknowledges 9:15. Ann answers 14:00, too late. A warning had fired 12:30."""
    run = an_episode(
        "7", "thu 09:00", level("one", "thu 09:30", "thu 09:05"),
        acknowledged=at("thu 09:15"), ended=at("thu 09:15:10"), reason="stop_on acknowledged",
    )  # fmt: skip
    warned = an_episode(
        "7", "thu 09:00", level("soon", "thu 12:30", "thu 12:30"), policy="warns",
        acknowledged=at("thu 14:00"), ended=at("thu 14:00:10"), reason="clock",
    )  # fmt: skip
    told = Told("7", "thu 09:00").writes("thu 09:00").writes("thu 14:00", "a")
    keep(store, told.ticket(), run, warned)
    said(store, run, "escalated", "thu 09:05", "one", "by eli: outage")


def at_beta(store: Store) -> None:
    """B1 is at risk; B2 was solved a week ago less some hours; B3 came before the week and was solved in it."""
    seen = an_episode(
        "beta/1", "mon 09:00", level("quiet", "mon 09:20", "mon 09:20", How.OBSERVED), policy="observes"
    )
    told = Told("1", "mon 09:00", "beta").writes("mon 09:00").writes("mon 09:30", "a")
    due = int(datetime(2026, 3, 16, 9, tzinfo=BERLIN).timestamp())
    targets = (
        Target(metric=Metric.FIRST_REPLY, stage=Stage.ACHIEVED, due=None),
        Target(metric=Metric.RESOLUTION, stage=Stage.ACTIVE, due=due, start=at("mon 09:00")),
    )
    keep(store, told.ticket(targets=targets), seen)
    told = Told("2", "fri 16:00", "beta").writes("fri 16:00").sets("fri 16:30", "status", "open", "solved")
    keep(store, told.ticket(targets=(Target(metric=Metric.RESOLUTION, stage=Stage.PAUSED, due=None),)))
    told = Told("3", "sun 12:00", "beta").writes("sun 12:00").writes("sun 13:00", "a")
    told.sets("mon 09:00", "status", "open", "solved")
    told.sets("tue 09:00", "status", "solved", "open", Who.AUTOMATION).sets(
        "tue 09:05", "status", "open", "solved"
    )
    keep(store, told.ticket())
