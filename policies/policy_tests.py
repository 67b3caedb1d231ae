"""Tests of policies, as a support lead writes them beside the policies: a ticket's life in a few lines, and what must
fire when. They are read here, played by `policies.replay` and compared; a difference is shown with what was judged."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from policies.language.document import Document, Problem, listed
from policies.language.parse_tables import read_timezone
from policies.language.policy import Policy, PolicySet
from policies.language.reader import Table
from policies.model import Directory, Instant, TicketRef
from policies.plan import Occurrence
from policies.present.explain import explain, traced
from policies.replay import Life, Rulebook, Step, judged_at, replay
from policies.rules.calendars import Calendar
from policies.written_life import (
    DAY,
    FIRES,
    MINUTE,
    Cast,
    Expected,
    Fires,
    Reading,
    Wrong,
    lines_of,
    local,
    note,
    read_ticket,
    since,
    zone_of,
)

BEGINNING = "2026-09-28 00:00"
"""When a ticket comes in if its test does not say it: a Monday."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTest:
    """One test: the policies that are played, the life, who works there, and what must come of it until `until`.
    `timezone` is where its clock times are, `written` all that its file says of it."""

    name: str
    file: str
    line: int
    policies: tuple[str, ...]
    life: Life
    directory: Directory
    expected: tuple[Expected, ...]
    until: Instant
    timezone: ZoneInfo
    written: str = ""

    @property
    def start(self) -> Instant:
        """When the ticket comes in."""
        return self.life.ticket.created


# --- a file ----------------------------------------------------------------------------------------------------

SHARED = ("account", "policy", "start", "timezone", "ticket", "groups")
"""What a file can say for all its tests; a test may say its own."""


def read_tests(
    document: Document, policies: PolicySet, accounts: Sequence[str]
) -> tuple[tuple[PolicyTest, ...], tuple[Problem, ...]]:
    """The tests of a file that are right, and all problems of the others. `accounts` are those of the config."""
    problems: list[Problem] = []
    root = Table(document=document, path=(), values=document.data, about="", problems=problems)
    root.only((*SHARED, "test"))
    root.require("test", "a test under [[test]]")
    tests = [read_test(root, table, policies, accounts) for table in root.tables("test")]
    return tuple(test for test in tests if test is not None), tuple(sorted(set(problems)))


def read_test(root: Table, table: Table, policies: PolicySet, accounts: Sequence[str]) -> PolicyTest | None:
    """One test, or None with its problems noted."""
    before = len(root.problems)
    name = (
        table.text("name", '"nobody answers"') if table.require("name", 'name = "nobody answers"') else None
    )
    table = table.called(f'test "{name}"' if name else "a test")
    table.only((*SHARED, "name", "life"))
    tables = [each for each in (root.table("ticket"), table.table("ticket")) if each is not None]
    names = read_names(said_in(root, table, "policy"), policies)
    account = read_account(said_in(root, table, "account"), names, policies, accounts)
    if account is None:
        return None
    played = tuple(each for each in policies.serving(account) if not names or each.name in names)
    zone = read_zone(said_in(root, table, "timezone"), played, policies)
    start = read_start(said_in(root, table, "start"), zone)
    told = table.text("life", '"0:30  fires Team lead"') if table.require("life", EXAMPLE) else None
    if told is None or start is None or len(root.problems) > before:
        return None
    cast = Cast(replace(policies, policies=played), {**read_groups(root), **read_groups(table)})
    ticket = read_ticket(tables, cast, TicketRef(account, "1"), start)
    life = Reading(policies=played, ticket=ticket, cast=cast, timezone=zone)
    until = read_life(table, told, life)
    if len(root.problems) > before:
        return None
    return PolicyTest(
        name=name or "",
        file=table.document.name,
        line=table.document.line(table.path),
        policies=tuple(each.name for each in played),
        life=Life(ticket=life.ticket, events=tuple(life.events)),
        directory=cast.directory(account),
        expected=tuple(life.expected),
        until=until,
        timezone=zone,
        written=json.dumps([{**root.values, "test": None}, table.values], sort_keys=True, default=str),
    )


EXAMPLE = 'life = """\n0:00  customer writes\n0:30  fires Team lead\n"""'


def said_in(root: Table, table: Table, key: str) -> Table:
    """The table that says this, the test's own first."""
    return table if key in table.values else root


def read_names(table: Table, policies: PolicySet) -> tuple[str, ...]:
    """The policies that are played, in any order; none for all of the account."""
    known = [each.name for each in policies.policies]
    if isinstance(table.values.get("policy"), list):
        return table.all_known("policy", '["urgent-unanswered"]', known, "unknown-value") or ()
    one = table.known("policy", '"urgent-unanswered"', known, "unknown-value")
    return (one,) if one else ()


def read_account(
    table: Table, names: Collection[str], policies: PolicySet, accounts: Sequence[str]
) -> str | None:
    """The account of the ticket: the first that all these policies serve, unless one is said."""
    serving = {each: {policy.name for policy in policies.serving(each)} for each in accounts}
    if "account" in table.values:
        account = table.known("account", f'"{next(iter(accounts), "acme")}"', accounts, "unknown-account")
        if account is None or account not in accounts:
            return None
        if missing := sorted(set(names) - serving[account]):
            table.report("account", "unknown-value", f"account {account} is not served by {listed(missing)}.")
            return None
        return account
    found = next((each for each in accounts if serving[each].issuperset(names)), None)
    if found is None:
        table.report(
            "policy", "unknown-account", f"no account is served by {listed(list(names), 'and')} alike."
        )
    return found


def read_zone(table: Table, played: Iterable[Policy], policies: PolicySet) -> ZoneInfo:
    """The time zone of clock times: the one that is said, else that of these policies."""
    if "timezone" in table.values:
        return ZoneInfo(read_timezone(table) or "UTC")
    return zone_of(played, policies)


def read_start(table: Table, zone: ZoneInfo) -> Instant | None:
    """When the ticket comes in."""
    said = table.text("start", f'"{BEGINNING}"') if "start" in table.values else BEGINNING
    if said is None:
        return None
    try:
        return local(said, zone)
    except Wrong as wrong:
        table.report("start", "bad-date", f"`start`: {wrong}")
        return None


def read_groups(table: Table) -> Mapping[str, Sequence[str]]:
    """Who is in which group. One with nobody in it is one too."""
    groups = table.table("groups")
    if groups is None:
        return {}
    return {
        name: () if said == [] else groups.texts(name, '["dana@acme.test"]') or ()
        for name, said in groups.values.items()
    }


def read_life(table: Table, told: str, life: Reading) -> Instant:
    """Take in the lines of a life; answers when it ends, the last second of its last minute."""
    latest = life.ticket.created
    for number, text in lines_of(table, told):
        try:
            at = life.read(text, number)
        except Wrong as wrong:
            note(table, number, str(wrong))
            continue
        if at < latest:
            note(
                table,
                number,
                f'"{text}" stands below a later time; put the lines in the order of their times.',
            )
        latest = max(at, latest)
    if not life.expected and not life.is_closed:
        text = 'nothing is expected; write for example "0:30  fires Team lead" or "4:00  nothing fires".'
        table.report("life", "missing", text)
    return latest + MINUTE - 1


def covered(tests: Iterable[PolicyTest]) -> frozenset[str]:
    """The policies that have a test: one that expects a level of theirs, or plays nothing else."""
    found = set[str]()
    for test in tests:
        found |= {each.fires.policy for each in test.expected}
        found |= set(test.policies) if len(test.policies) == 1 else set()
    return frozenset(found)


# --- playing it ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that was expected and did not happen, or happened and was not expected."""

    at: Instant
    text: str
    line: int | None = None
    policy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a test. `explained` is what was judged at the first difference, in words."""

    test: PolicyTest
    found: tuple[tuple[Instant, Fires], ...]
    differences: tuple[Difference, ...] = ()
    explained: str = ""

    @property
    def passed(self) -> bool:
        """Whether all came as it was expected, and nothing else."""
        return not self.differences

    def as_row(self) -> dict[str, object]:
        """The result for a program; instants are seconds since 1970."""
        test = self.test
        return {
            "name": test.name,
            "file": test.file,
            "line": test.line,
            "passed": self.passed,
            "policies": list(test.policies),
            "expected": [{"at": each.at, **each.fires._asdict()} for each in test.expected],
            "found": [{"at": at, **fires._asdict()} for at, fires in self.found],
            "differences": [
                {"at": each.at, "line": each.line, "text": " ".join(each.text.split())}
                for each in self.differences
            ],
            "explained": self.explained,
        }


def play(test: PolicyTest, policies: PolicySet, calendars: Mapping[str, Calendar]) -> Result:
    """Play a test. Its policies are enforced, whatever their modes are, and have been in force for a day."""
    rules = rulebook(test, policies, calendars)
    steps = tuple(replay(test.life, rules, test.directory, test.until))
    found = tuple(firings(steps))
    differences = sorted(compared(test, found, steps), key=lambda each: each.at)
    if not differences:
        return Result(test=test, found=found)
    first = differences[0]
    at = max(first.at, test.start)
    step = next((each for each in steps if each.now == at), None) or judged_at(
        test.life, rules, test.directory, at
    )
    concerned = {each.policy for each in differences if each.at == first.at} - {None}
    trace = tuple(each for each in traced(step.plan) if not concerned or each.policy in concerned)
    return Result(test=test, found=found, differences=tuple(differences), explained=explain(trace))


def rulebook(test: PolicyTest, policies: PolicySet, calendars: Mapping[str, Calendar]) -> Rulebook:
    """The rules of a test."""
    played = tuple(replace(each, mode=None) for each in policies.policies if each.name in test.policies)
    enforced = replace(policies, policies=played, modes={"": "enforce"})
    return Rulebook(
        policies=enforced, calendars=calendars, first_ran={each.name: test.start - DAY for each in played}
    )


def firings(steps: Iterable[Step]) -> Iterator[tuple[Instant, Fires]]:
    """All that a test can expect, as it happened."""
    for step in steps:
        for line in step.lines:
            if line.what in FIRES:
                owner = line.owner
                yield step.now, Fires(line.what, line.level or "", line.policy, owner)


def compared(
    test: PolicyTest, found: Sequence[tuple[Instant, Fires]], steps: Iterable[Step]
) -> Iterator[Difference]:
    """Everything that is otherwise than expected."""
    left, several = list(found), len(test.policies) > 1
    for each in test.expected:
        met = next((one for one in left if each.is_met(*one)), None)
        if met is not None:
            left.remove(met)
            continue
        text = f"expected {stamp(test, each.at)}  {each.fires.words(several)}"
        yield Difference(at=each.at, text=text, line=each.line, policy=each.fires.policy)
    for at, one in left:
        yield Difference(at=at, text=f"found    {stamp(test, at)}  {one.words(several)}", policy=one.policy)
    for step in steps:
        for failed in step.plan.failed:
            yield Difference(at=step.now, text=f"found    {stamp(test, step.now)}  {failed.text}")
        for line in held_lines(step.lines):
            yield Difference(at=step.now, text=f"found    {stamp(test, step.now)}  {line.text}")


def held_lines(lines: Iterable[Occurrence]) -> Iterator[Occurrence]:
    """The lines of a life that went round and round."""
    return (line for line in lines if line.what == "held")


def told(test: PolicyTest, found: Iterable[tuple[Instant, Fires]]) -> tuple[str, ...]:
    """What fired, as the lines of the test would say it."""
    several = len(test.policies) > 1
    return tuple(f"{stamp(test, at)}  {fires.words(several)}" for at, fires in found)


def stamp(test: PolicyTest, at: Instant) -> str:
    """An instant as tests write it: hours and minutes since the ticket came in."""
    return since(at, test.start)


def reported(result: Result) -> list[str]:
    """What a failed test says, in lines."""
    test = result.test
    first = result.differences[0].at
    when = datetime.fromtimestamp(first, test.timezone).strftime("%A %Y-%m-%d %H:%M:%S").removesuffix(":00")
    return [
        f"{test.file}:{result.differences[0].line or test.line}: FAILED {test.name}",
        *(f"  {each.text}" for each in result.differences),
        f"  What was judged at {stamp(test, first)}, {when}:",
        *(f"    {line}" for line in result.explained.splitlines()),
    ]
