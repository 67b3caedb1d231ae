"""A test made from a real ticket, without its words: when who said something and what was changed, nobody's name, and
of the ticket's values only what the policies ask for. It expects what the policies make of that life."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from policies.history import OPENING, Fact, History
from policies.language.conditions import Condition
from policies.language.document import Document, listed, read
from policies.language.fields import CUSTOM, PHRASES
from policies.language.policy import PolicySet
from policies.language.vocabulary import STRATEGIES
from policies.model import (
    Change,
    Directory,
    Instant,
    Message,
    Metric,
    Stage,
    Status,
    Target,
    Ticket,
    Value,
    Who,
)
from policies.policy_tests import PolicyTest, Result, play, read_tests
from policies.rules.calendars import Calendar
from policies.state import Wrote
from policies.written_life import CUSTOMER, MINUTE, since

ALWAYS = ("status", "priority", "group", "assignee")
"""What is recorded whether a policy asks for it or not: clocks, targets and owners hang on it."""

WORDS = frozenset(
    {
        *("subject", "description", PHRASES, "requester.name", "requester.address", "requester.organization"),
        *(
            "organization",
            "status_name",
            "assignee",
            "requester.recent_tickets",
            "organization_recent_tickets",
        ),
    }
)
"""What a policy may ask for that stays behind: words, and who somebody is."""

PLAIN = ("type", "channel", "language")
OTHER = "other"
"""Stands for a text that no policy names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What these policies read of a ticket, and which texts they name for each field."""

    reads: frozenset[str]
    named: Mapping[str, frozenset[str]]

    @classmethod
    def by(cls, policies: PolicySet, account: str) -> "Asked":
        """What those that serve the account ask for."""
        named: dict[str, frozenset[str]] = {}
        for policy in policies.serving(account):
            for line in every_line((*policy.when.lines, *policy.unless.lines)):
                wanted = line.wanted if isinstance(line.wanted, tuple) else (line.wanted,)
                texts = frozenset(each for each in wanted if isinstance(each, str))
                named[line.path] = named.get(line.path, frozenset()) | texts
            tags = (
                *policy.acknowledge_tags,
                *(tag for level in policy.levels for tag in (*level.tags, *level.untag)),
            )
            named["tags"] = named.get("tags", frozenset()) | frozenset(tags)
        return cls(reads=frozenset(named), named=named)

    def value(self, name: str, value: Value) -> Value:
        """A value without any text that no policy names."""
        if isinstance(value, tuple):
            return tuple(sorted(self.named.get(name, frozenset()).intersection(value)))
        if name.startswith(CUSTOM) and isinstance(value, str) and value not in self.named.get(name, ()):
            return OTHER
        return value


def every_line(lines: tuple[Condition, ...]) -> Iterator[Condition]:
    """The lines and those inside them."""
    for line in lines:
        yield line
        yield from every_line(line.inner)


@dataclass(slots=True, kw_only=True)
class Recorder:
    """One ticket while it is written down. `roles` are what people are called here, by id; `chosen_from` are the groups
    of which a level picks somebody, `wrote` is what Uptier wrote, oldest first."""

    ticket: Ticket
    directory: Directory
    asked: Asked
    chosen_from: frozenset[str]
    wrote: tuple[Wrote, ...]
    roles: dict[str, str] = field(default_factory=dict)

    def role(self, ident: str | None) -> str:
        """What somebody is called: by what the config knows of them, and a number."""
        if ident is None:
            return "somebody"
        if ident not in self.roles:
            person = next((each.person for each in self.directory.agents if each.person.id == ident), None)
            label = person.label if person else ident
            kind = "agent"
            if label in self.directory.leads.values():
                kind = "lead"
            elif label in self.directory.managers.values():
                kind = "manager"
            number = 1 + sum(role.startswith(kind) for role in self.roles.values())
            self.roles[ident] = f"{kind}-{number}"
        return self.roles[ident]

    def group(self, ident: Value) -> str:
        """A group's name, or `none`."""
        found = (each.name for each in self.directory.groups if each.id == ident)
        return "none" if ident is None else next(found, str(ident))

    def by(self, fact: Fact) -> str:
        """Who did it, for the end of a line."""
        who, moves = fact.act.who, isinstance(fact, Change) and fact.field == "assignee"
        if who is Who.CUSTOMER:
            return CUSTOMER
        if who is Who.UNKNOWN and moves and isinstance(fact, Change) and isinstance(fact.after, str):
            return self.role(fact.after)  # taken for that person's own, as where actors are hidden
        return self.role(fact.act.person) if who is Who.AGENT else "automation"

    # --- what stands at the head -------------------------------------------------------------------------------

    def opening(self) -> dict[str, Value]:
        """The ticket as it came in, as far as it is recorded: before the first change of each field."""
        values: dict[str, Value] = {
            "status": self.ticket.status,
            "priority": self.ticket.priority,
            "group": self.ticket.group.id if self.ticket.group else None,
            "assignee": self.ticket.assignee.id if self.ticket.assignee else None,
            "tags": tuple(sorted(self.ticket.tags)),
            **{name: getattr(self.ticket, name) for name in PLAIN},
            **{f"{CUSTOM}{name}": value for name, value in self.ticket.custom.items()},
        }
        told = {change.field for change in self.ticket.changes}
        for wrote in reversed(self.wrote):
            if wrote.field not in told:  # the helpdesk tells no changes of it
                values[wrote.field] = wrote.before
        for change in reversed(self.ticket.changes):
            values[change.field] = change.after if self.is_opening(change) else change.before
        if self.ticket.requester is not None:
            values["requester.vip"] = self.ticket.requester.vip
            values["requester.tags"] = tuple(sorted(self.ticket.requester.tags))
        kept = {name: self.asked.value(name, value) for name, value in values.items() if self.matters(name)}
        return {name: value for name, value in kept.items() if value not in (None, (), False)}

    def is_opening(self, change: Change) -> bool:
        """Whether the ticket came in with this value; some helpdesks tell it as a change from nothing."""
        return change.act.at <= self.ticket.created + OPENING and change.before in (None, ())

    def matters(self, name: str) -> bool:
        """Whether this field is recorded."""
        return name in (*ALWAYS, "tags") or (name in self.asked.reads and name not in WORDS)

    def table(self) -> Iterator[str]:
        """The opening values as TOML."""
        for name, value in self.opening().items():
            said = (
                self.group(value)
                if name == "group"
                else self.role(str(value))
                if name == "assignee"
                else value
            )
            yield f"{quoted(name)} = {json.dumps(said, ensure_ascii=False)}"

    def members(self) -> Iterator[str]:
        """Who of those in this life is in which group. Where nobody is, one stands for those who are not in it."""
        for group in self.directory.groups:
            inside = [each.person.id for each in self.directory.agents if group.id in each.groups]
            known = [self.roles[each] for each in inside if each in self.roles]
            if known or (inside and group.name in self.chosen_from):
                yield f"{json.dumps(group.name, ensure_ascii=False)} = {json.dumps(known or [self.role(inside[0])])}"

    # --- what happened -----------------------------------------------------------------------------------------

    def lines(self) -> Iterator[tuple[Instant, str]]:
        """What people, their automations and the helpdesk did, in order; ours comes again when the life is played."""
        if "priority" not in self.opening():
            yield self.ticket.created, "priority none"
        history = History.of(self.ticket, frozenset())
        for fact in history.facts:
            if fact.act.who is Who.OURS:
                continue
            at = max(fact.act.at, self.ticket.created)
            for line in self.message(fact, history) if isinstance(fact, Message) else self.change(fact):
                yield at, line

    def message(self, fact: Message, history: History) -> Iterator[str]:
        """A message without its words."""
        if history.is_by_requester(fact) or fact.act.who is Who.CUSTOMER:
            yield "customer's auto-reply" if fact.auto_reply else "customer writes"
        elif fact.act.who is Who.AGENT and not fact.auto_reply:
            yield f"agent {self.role(fact.act.person)} {'replies' if fact.public else 'notes'}"

    def change(self, fact: Change) -> Iterator[str]:
        """A change of a field that matters."""
        name, by = fact.field, self.by(fact)
        if fact.before == fact.after or self.is_opening(fact) or not self.matters(name):
            return
        if name == "assignee":
            yield f"assigned to {self.role(str(fact.after)) if fact.after else 'nobody'} by {by}"
        elif name == "group":
            yield f"group {self.group(fact.after)} by {by}"
        elif name == "tags":
            before, after = (self.asked.value(name, each or ()) for each in (fact.before, fact.after))
            for how, some, others in (("tagged", after, before), ("untagged", before, after)):
                if (
                    isinstance(some, tuple)
                    and isinstance(others, tuple)
                    and (moved := sorted({*some} - {*others}))
                ):
                    yield f"{how} {', '.join(moved)} by {by}"
        elif isinstance(kept := self.asked.value(name, fact.after), bool):
            yield f"{name} {json.dumps(kept)} by {by}"
        else:
            yield f"{name} {'none' if kept is None else kept} by {by}"

    def targets(self) -> Iterator[tuple[Instant, str]]:
        """The helpdesk's SLA targets as it tells them now, each from when it may have been told."""
        messages = [each for each in self.ticket.messages if each.act.who is not Who.OURS]
        customers = [each.act.at for each in messages if each.act.who is Who.CUSTOMER]
        agents = [each.act.at for each in messages if each.act.who is Who.AGENT and each.public]
        for target in self.ticket.targets:
            if target.due is None or target.stage is Stage.UNKNOWN:
                continue
            start = self.ticket.created
            if target.metric is Metric.NEXT_REPLY:
                start = max(customers, default=start)
            start = max(target.start or start, self.ticket.created)
            yield start, due_line(self, target)
            if target.stage is Stage.ACHIEVED:
                ends = [at for at in agents if at >= start]
                yield min(ends, default=max(self.ticket.updated, start)), f"target {target.metric} achieved"
            elif target.stage is Stage.PAUSED:
                yield max(self.ticket.updated, start), f"target {target.metric} paused"


def due_line(recorder: Recorder, target: Target) -> str:
    """The line of a target, with its start where the helpdesk tells it."""
    said = f"target {target.metric} due {since(target.due or 0, recorder.ticket.created)}"
    if target.start is not None and target.start >= recorder.ticket.created:
        said += f" from {since(target.start, recorder.ticket.created)}"
    return said


def quoted(name: str) -> str:
    """A key of a table, its parts quoted where they must be."""
    return ".".join(
        part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else json.dumps(part, ensure_ascii=False)
        for part in name.split(".", 1)
    )


def record(
    ticket: Ticket,
    policies: PolicySet,
    directory: Directory,
    calendars: Mapping[str, Calendar],
    now: Instant,
    wrote: tuple[Wrote, ...] = (),
) -> str:
    """The test as text. `ticket` has its whole history, with what is ours recognised; the life ends `now`, or with its
    last fact where the ticket is over. `wrote` is what Uptier wrote over what, oldest first, for a helpdesk that tells
    no changes. ValueError where that life cannot be written down."""
    account = ticket.ref.account
    asked = Asked.by(policies, account)
    picks = frozenset(
        level.assign.group
        for policy in policies.serving(account)
        for rung in policy.levels
        for level in rung.variants
        if level.assign is not None and level.assign.group and level.assign.agent in STRATEGIES
    )
    recorder = Recorder(ticket=ticket, directory=directory, asked=asked, chosen_from=picks, wrote=wrote)
    told = sorted([*recorder.lines(), *recorder.targets()], key=lambda each: each[0])
    over = ticket.status in (Status.SOLVED, Status.CLOSED)
    end = max([at for at, _ in told] + ([ticket.updated] if over else [ticket.updated, now]))
    whole_minutes = -(-(end - ticket.created) // MINUTE)
    told.append((ticket.created + (whole_minutes + 1) * MINUTE, "nothing more fires"))
    head, tables = head_of(recorder, now), tables_of(recorder)
    test, result = played(text_of(head, told, tables, ticket.created), policies, account, calendars)
    groups, several = {group.name for group in directory.groups}, len(test.policies) > 1
    fires = [
        (at, one._replace(owner=one.owner if one.owner in groups else None).words(several))
        for at, one in result.found
    ]
    head = head_of(recorder, now, tuple(dict.fromkeys(words for _, words in fires)))
    whole = sorted([*told, *fires], key=lambda each: each[0])
    text = text_of(head, whole, tables, ticket.created)
    _, again = played(text, policies, account, calendars)
    if not again.passed:
        raise ValueError(f"the life of {ticket.ref} cannot be written down: {again.differences[0].text}")
    return text


def head_of(recorder: Recorder, now: Instant, fires: tuple[str, ...] = ()) -> list[str]:
    """What the file says of itself, and how the test begins: its name has the ticket and what fires on it."""
    ticket, lost = recorder.ticket, sorted(WORDS & recorder.asked.reads)
    day = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
    start = datetime.fromtimestamp(ticket.created, UTC).strftime("%Y-%m-%d %H:%M:%S")
    head = [
        f"# Recorded on {day} from a ticket of account {ticket.ref.account}: no words, no names, and of its values",
        "# only what the policies ask for. It expects what the policies made of it then.",
    ]
    if lost:
        head.append(
            f"# Not recorded, though the policies ask for it: {listed(lost, 'and')}. Add what matters."
        )
    if ticket.actors_hidden or not ticket.changes:
        head += [
            "# The helpdesk does not tell all changes of fields: those it does not tell stand here as they were when",
            "# this was recorded, without what Uptier wrote.",
        ]
    name = json.dumps(f"{ticket.ref}: {', then '.join(fires) or 'nothing fires'}", ensure_ascii=False)
    head += ["", "[[test]]", f"name     = {name}", f'account  = "{ticket.ref.account}"']
    return [*head, 'timezone = "UTC"', f'start    = "{start}"']


def tables_of(recorder: Recorder) -> list[str]:
    """The ticket as it came in, and who is in which group."""
    found: list[str] = []
    for name, rows in (("ticket", list(recorder.table())), ("groups", list(recorder.members()))):
        found += ["", f"[test.{name}]", *rows] if rows else []
    return found


def text_of(head: list[str], lines: list[tuple[Instant, str]], tables: list[str], start: Instant) -> str:
    """The whole file; the life stands before the tables."""
    life = "\n".join(f"{since(at, start)}  {words}" for at, words in lines)
    escaped = life.replace("\\", "\\\\").replace('"', '\\"')
    return "\n".join([*head, 'life     = """', escaped, '"""', *tables]) + "\n"


def played(
    text: str, policies: PolicySet, account: str, calendars: Mapping[str, Calendar]
) -> tuple[PolicyTest, Result]:
    """The test that this text is, played. ValueError if it is none."""
    document = read("the recorded test", text)
    assert isinstance(document, Document), document
    tests, problems = read_tests(document, policies, (account,))
    if problems:
        raise ValueError(str(problems[0]))
    return tests[0], play(tests[0], policies, calendars)
