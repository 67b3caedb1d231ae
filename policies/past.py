"""A life out of a ticket's history: as it came in, what happened to it, and what of that the helpdesk does not tell.

Also takes the words out of a ticket and leaves what the policies ask about them: yes or no for each line that reads
words, and the phrase packs found in each message."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

from policies.history import OPENING, OVER, Fact, History
from policies.language.conditions import Condition, Conditions, Limits, joined, tested
from policies.language.fields import CUSTOM, FIELDS, PHRASES
from policies.language.operators import OPERATORS
from policies.language.phrases import Pack, folded, own_words
from policies.language.policy import PolicySet
from policies.model import (
    Act,
    Change,
    Counts,
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
from policies.replay import Acted, Event, Life, Said, Shown, value_of, with_value
from policies.state import Wrote

MOVED = ("status", "priority", "group", "assignee", "tags")
"""What a helpdesk's history tells the changes of, custom fields beside it."""

AS_NOW = frozenset(
    {
        *("type", "channel", "language", "subject", "description", "organization", "assignee_away"),
        *("requester.name", "requester.address", "requester.organization", "requester.tags", "requester.vip"),
    }
)
"""What no helpdesk tells the changes of: it is taken as it stands now."""

RECENT = frozenset({"requester.recent_tickets", "organization_recent_tickets"})
"""What no ticket tells of itself."""

COUNTED = frozenset({"reopens", "reassignments", "bounces", "group_moves", "group_bounces"})
HISTORIES = frozenset({"messages", "changes"})


# --- what is not told ------------------------------------------------------------------------------------------


def with_writes(ticket: Ticket, wrote: Iterable[Wrote]) -> Ticket:
    """The ticket with what Uptier wrote, oldest first, in its history, where the helpdesk tells no change of it."""
    told = {change.field for change in ticket.changes if change.field != "status"}
    acts = [*(each.act for each in ticket.messages), *(each.act for each in ticket.changes)]
    last, made = max((act.sequence for act in acts), default=0), list[Change]()
    for one in wrote:
        if one.field in told or one.before == one.after:
            continue
        act = Act(sequence=last + 1 + len(made), id=one.fact, at=ticket.updated, who=Who.OURS)
        made.append(Change(act=act, field=one.field, before=one.before, after=one.after))
    return replace(ticket, changes=(*ticket.changes, *made))


def unknown_past(ticket: Ticket, *, only_ours: bool) -> frozenset[str]:
    """The fields, histories and clocks of which the history does not tell how they were, in the words of
    `Ticket.hidden`. `only_ours` says that nobody but Uptier has changed the ticket since it came in, where the helpdesk
    does not tell who changed what."""
    lost = set(ticket.hidden)
    customs = {f"{CUSTOM}{name}" for name in ticket.custom}
    if ticket.actors_hidden and not only_ours:
        lost |= {*MOVED, *COUNTED, *customs}
    if ticket.targets:
        lost.add("targets")
    if ticket.satisfaction is not None:
        lost.add("satisfaction")
    if any(each.field == "status" and not is_first(each, ticket) for each in ticket.changes):
        lost.add("status_name")
    if "changes" in ticket.hidden:
        lost |= {*MOVED, *COUNTED, *customs}
    else:
        lost |= set(broken(ticket))
    return frozenset(lost)


def broken(ticket: Ticket) -> Iterator[str]:
    """The fields whose changes do not lead to one another, and in the end to what stands there now."""
    stands = dict[str, Value]()
    for change in reversed(ticket.changes):
        after = stands.get(change.field, value_of(ticket, change.field))
        if spelled(after) != spelled(change.after):
            yield change.field
        stands[change.field] = change.before


def spelled(value: Value) -> object:
    """A value for comparison: histories tell numbers and yes or no as text, and lists in any order."""
    if isinstance(value, tuple):
        return sorted(value)
    if isinstance(value, bool):
        return str(value).lower()
    return None if value in (None, "") else str(value)


# --- the life --------------------------------------------------------------------------------------------------


def life_of(ticket: Ticket, directory: Directory) -> Life:
    """The ticket as it came in, and what people, their automations and the helpdesk did to it since. What Uptier did is
    left out: it comes again when the life is played. Acts must be recognised (`policies.history`)."""
    born = as_created(ticket, directory)
    events: list[Event] = [*acts_of(ticket), *targets_of(ticket)]
    if ticket.satisfaction is not None:
        events.append(Shown(at=ticket.updated, fields={"satisfaction": ticket.satisfaction}))
    if ticket.gone is not None:
        events.append(Shown(at=ticket.updated, fields={"gone": ticket.gone}))
    return Life(ticket=born, events=tuple(sorted(events, key=attrgetter("at"))))


def is_first(change: Change, ticket: Ticket) -> bool:
    """Whether the ticket came in with this value; some helpdesks tell it as a change from nothing. Of each field no
    change but the first can be that: what is taken away and put back at once is not."""
    if change.act.at > ticket.created + OPENING or change.before not in (None, ()):
        return False
    return change is next(each for each in ticket.changes if each.field == change.field)


def as_created(ticket: Ticket, directory: Directory) -> Ticket:
    """The ticket before the first change of each field, without a history."""
    values = dict[str, Value]()
    for change in reversed(ticket.changes):
        values[change.field] = change.after if is_first(change, ticket) else change.before
    born = ticket
    if values.get("status", ticket.status) is None:
        values["status"] = Status.OPEN
    for name, value in values.items():
        if value != value_of(ticket, name):  # what stands there now has the helpdesk's own word beside it
            born = with_value(born, name, value, directory)
    return replace(
        born,
        updated=ticket.created,
        read_at=ticket.created,
        revision="0",
        status_since=None,
        satisfaction=None,
        counts=Counts(),
        targets=(),
        messages=(),
        changes=(),
        gone=None,
        touched=None,
    )


def acts_of(ticket: Ticket) -> Iterator[Acted]:
    """What others than Uptier did, in the helpdesk's order: of one act what was said and what was changed together."""
    at = ticket.created
    facts = [each for each in History.of(ticket, frozenset()).facts if each.act.who is not Who.OURS]
    for (_, who, person), same in groupby(facts, key=doer):
        act = list(same)
        sets, adds, removes = dict[str, Value](), set[str](), set[str]()
        for fact in act:
            if isinstance(fact, Message) or is_first(fact, ticket):
                continue
            if fact.field == "tags":
                before, after = (
                    set(each) if isinstance(each, tuple) else set[str]() for each in tags_of(fact)
                )
                adds, removes = (adds | after) - before, (removes | before) - after
            else:
                sets[fact.field] = fact.after
        stamp = act[0].act.at
        at = max(at, stamp)
        said = tuple(
            Said(public=each.public, body=each.body, auto_reply=each.auto_reply)
            for each in act
            if isinstance(each, Message)
        )
        if said or sets or adds or removes:
            yield Acted(
                at=at,
                who=who,
                person=person,
                says=said,
                sets=tuple(sets.items()),
                adds=frozenset(adds),
                removes=frozenset(removes),
                stamp=None if stamp == at else stamp,
            )


def doer(fact: Fact) -> tuple[int, Who, str | None]:
    """Which act a fact belongs to, and whose that was."""
    return fact.act.sequence, fact.act.who, fact.act.person


def tags_of(change: Change) -> tuple[Value, Value]:
    """The tags before and after."""
    return change.before, change.after


def targets_of(ticket: Ticket) -> Iterator[Shown]:
    """The helpdesk's SLA targets as it tells them now, each from when it may have been told until it was met."""
    told = list[tuple[Instant, Target]]()
    for target in ticket.targets:
        if target.due is None or target.stage is Stage.UNKNOWN:
            continue
        start = max(target.start or asked_at(ticket, target.metric), ticket.created)
        told.append((start, replace(target, stage=Stage.ACTIVE, breached=False)))
        if target.stage is Stage.ACHIEVED:
            met = met_at(ticket, target.metric, start)
            told.append((met, replace(target, breached=met > target.due)))
        elif target.stage is Stage.PAUSED:
            told.append((max(ticket.updated, start), target))
    shown = dict[tuple[Metric, Instant | None], Target]()
    for at, target in sorted(told, key=lambda each: each[0]):
        shown[target.metric, target.due] = target
        yield Shown(at=at, fields={"targets": tuple(shown.values())})


def asked_at(ticket: Ticket, metric: Metric) -> Instant:
    """When a target that tells no start may have begun."""
    if metric is not Metric.NEXT_REPLY:
        return ticket.created
    history = History.of(ticket, frozenset())
    return max(
        (each.act.at for each in ticket.messages if history.is_customers(each)), default=ticket.created
    )


def met_at(ticket: Ticket, metric: Metric, start: Instant) -> Instant:
    """When an achieved target was achieved, as far as the history tells."""
    if metric is Metric.RESOLUTION:
        ends = [each.act.at for each in ticket.changes if each.field == "status" and each.after in OVER]
    else:
        ends = replies(ticket)
    return min((at for at in ends if at >= start), default=max(ticket.updated, start))


def replies(ticket: Ticket) -> list[Instant]:
    """When people answered the requester, oldest first."""
    history = History.of(ticket, frozenset())
    return [each.act.at for each in ticket.messages if history.is_reply(each)]


# --- without its words -----------------------------------------------------------------------------------------

WORDS = frozenset({"subject", "description", "requester.name", "requester.address"})
ANSWERS = "what was asked about words"
"""Where a ticket without its words keeps, among its custom fields, which of the lines about them held. No account can
map a field to this name."""

UNASKED = "words nobody asked about"
"""Hidden on each ticket without its words: a line that was not asked when it lost them reads this."""


def every_line(policies: PolicySet) -> Iterator[Condition]:
    """All lines of all policies that read a ticket themselves."""

    def inside(lines: Sequence[Condition]) -> Iterator[Condition]:
        for line in lines:
            yield from inside(line.inner) if line.inner else (line,)

    for policy in policies.policies:
        yield from inside((*policy.when.lines, *policy.unless.lines))


def question(line: Condition) -> str:
    """A line as a question about words: the same for the same test."""
    return json.dumps([line.path, line.operator, line.wanted], ensure_ascii=False)


def questions(policies: PolicySet) -> Mapping[str, Condition]:
    """Every question that these policies ask about words, phrases aside."""
    return {question(line): line for line in every_line(policies) if line.path in WORDS}


def spelling(pack: Pack) -> str:
    """All phrases of a pack: what was found by others is not what these would find."""
    return json.dumps(
        sorted((language, *texts) for language, texts in pack.phrases.items()), ensure_ascii=False
    )


def silenced(ticket: Ticket, asked: Mapping[str, Condition], packs: Iterable[Pack]) -> Ticket:
    """The ticket without words: in place of each text the names of the packs found in it, and which questions held."""
    held = tuple(sorted(key for key, line in asked.items() if line.holds(ticket)))
    known = tuple(packs)

    def found(text: str) -> str:
        plain = folded(text)
        return " ".join(pack.name for pack in known if pack.search(plain) is not None)

    asker = ticket.requester
    return replace(
        ticket,
        subject=found(ticket.subject),
        description=found(own_words(ticket.description)),
        messages=tuple(replace(each, body=found(own_words(each.body))) for each in ticket.messages),
        requester=None if asker is None else replace(asker, name="", address=None),
        custom={**ticket.custom, ANSWERS: held},
        hidden=ticket.hidden | {UNASKED},
    )


def asking_silenced(policies: PolicySet, asked: Iterable[str], packs: Mapping[str, str]) -> PolicySet:
    """The same policies for tickets without words: each line about words has the answer that was kept. `asked` are the
    questions that were, `packs` the spelling of each pack that was looked for. What was not is unknown."""
    known = frozenset(asked)
    alike = {name: named(pack) for name, pack in policies.packs.items() if packs.get(name) == spelling(pack)}

    def line(one: Condition) -> Condition:
        if one.inner:
            return joined(one.path, one.text, one.join, tuple(map(line, one.inner)))
        if one.path == PHRASES:
            wanted = one.wanted if isinstance(one.wanted, tuple) else (one.wanted,)
            if one.wanted is None or not alike.keys() >= set(wanted):
                return replace(one, reads=one.reads | {UNASKED})
            operator, field = OPERATORS[one.operator], FIELDS[PHRASES]
            return tested(operator, field, one.wanted, alike, Limits())
        if one.path not in WORDS:
            return one
        key = question(one)
        if key not in known:
            return replace(one, reads=one.reads | {UNASKED})

        def answer(ticket: Ticket) -> bool:
            held = ticket.custom.get(ANSWERS)
            return isinstance(held, tuple) and key in held

        return replace(one, holds=answer, read=answer)

    def lines(of: Conditions) -> Conditions:
        return replace(of, lines=tuple(map(line, of.lines)))

    made = tuple(
        replace(each, when=lines(each.when), unless=lines(each.unless)) for each in policies.policies
    )
    return replace(policies, policies=made)


def named(pack: Pack) -> Pack:
    """A pack that is found where its name stands."""
    return replace(pack, search=lambda text: pack.name if pack.name in text.split() else None)


# --- only the policies that could have a say -------------------------------------------------------------------


def read_by(policies: PolicySet, account: str) -> frozenset[str]:
    """What the policies that serve the account read, in the words of `Ticket.hidden`. Each of them counts from what
    was said and changed."""
    found = set[str]()
    for policy in policies.serving(account):
        found |= HISTORIES | {"status", "group", "assignee"}
        for line in (*policy.when.lines, *policy.unless.lines):
            found |= line.every_read()
        if policy.on_deadline:
            found.add("targets")
    return frozenset(found)


FOLLOWING = frozenset(
    {"messages", "changes", "counts", "replies", "assignee_away", *COUNTED, *RECENT, "phrases"}
)
"""What may change in any life: it follows from what was said and done."""

MEMBERS = frozenset({"has", "has_all", "lacks"})
"""What asks of a list only whether these are in it."""


AT_ONCE = "all tags at once"
"""Beside `tags` where nobody tells which of them changed."""


def tag(name: object) -> str:
    """One tag, among the names of fields."""
    return f"tags:{str(name).casefold()}"


def written_by(policies: PolicySet) -> frozenset[str]:
    """What may change in any life that these policies are played on, each tag that they add or remove by itself."""
    found = set(FOLLOWING)
    for level in (one for policy in policies.policies for each in policy.levels for one in each.variants):
        moved = level.tags | level.untag
        found |= {name for name, _ in level.set} | set(map(tag, moved)) | ({"tags"} if moved else set())
        found |= ({"priority"} if level.priority else set()) | (
            {"group", "assignee"} if level.assign else set()
        )
    return frozenset(found)


def changes_in(life: Life) -> frozenset[str]:
    """What the events of this life change, each tag by itself."""
    found = set[str]()
    for event in life.events:
        if isinstance(event, Acted):
            moved = event.adds | event.removes
            found |= {name for name, _ in event.sets} | set(map(tag, moved)) | ({"tags"} if moved else set())
        elif isinstance(event, Shown):
            found |= event.fields.keys() | ({AT_ONCE} if "tags" in event.fields else set())
    return frozenset(found | ({"status_name"} if "status" in found else set()))


def hangs_on(line: Condition) -> frozenset[str]:
    """What this line and those inside it read; of tags only those that they ask for, where that is all they ask."""
    found = frozenset[str]().union(*map(hangs_on, line.inner))
    if line.path == "tags" and line.operator in MEMBERS and line.reads == {"tags"}:
        asked = line.wanted if isinstance(line.wanted, tuple) else (line.wanted,)
        return found.union(map(tag, asked), (AT_ONCE,))
    return found | line.reads


class Sieve:
    """Rules policies out of a life. `whens` and `unlesses` are, by policy, the lines that read nothing a policy may
    write, each with what it reads."""

    def __init__(self, policies: PolicySet) -> None:
        written = written_by(policies)

        def lasting(lines: Conditions) -> list[tuple[Condition, frozenset[str]]]:
            read = ((line, hangs_on(line)) for line in lines.lines if not line.every_need())
            return [(line, names) for line, names in read if names.isdisjoint(written)]

        self._policies = policies
        self._whens = {each.name: lasting(each.when) for each in policies.policies}
        self._unlesses = {each.name: lasting(each.unless) for each in policies.policies}

    def could_hold(self, life: Life) -> PolicySet:
        """The policies without those that cannot hold from beginning to end: what a line of `when` reads does not
        change in this life, and it does not hold, or one of `unless` does."""
        changing, ticket = changes_in(life), life.ticket

        def stays(lines: list[tuple[Condition, frozenset[str]]], *, so: bool) -> bool:
            return any(line.judge(ticket) is so and changing.isdisjoint(names) for line, names in lines)

        kept = tuple(
            each
            for each in self._policies.serving(ticket.ref.account)
            if not (stays(self._whens[each.name], so=False) or stays(self._unlesses[each.name], so=True))
        )
        return replace(self._policies, policies=kept)
