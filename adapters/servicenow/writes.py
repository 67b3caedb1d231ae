"""Actions as requests, and the columns of the one PATCH that takes everything: two would be two updates, two
mails, two runs of each rule.

A request holds what is wanted, not what is to be sent: tags, followers and the way to a priority depend on the
record as it is when the request leaves. Only a second note or reply, and ServiceNow's own tags, are requests of
their own. Vendor sheet 5.1.

Tags and followers are lists in one text, and a priority is reached from the impact and urgency there are. So
none of them can be written down when the request is prepared. Vendor sheet 2.3, 2.8 and 5.1.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from adapters.base import Note, NotTaken, Prepared, VendorAction, Write, held_by
from adapters.servicenow import answers
from adapters.servicenow.answers import Row, literal, raw
from adapters.servicenow.feed import FOLLOWERS
from adapters.servicenow.profile import COMMON, LABELS, NUMBERS, Matrix, Profile, common, pair, reaches
from adapters.servicenow.ticket import (
    LONGEST_TAGS,
    are_foreign,
    can_keep,
    common_names,
    read_tags,
    spell_tags,
    tags_column,
    tags_fit,
)
from policies.model import Seconds, Ticket, Value
from policies.plan import Assign, ChangeTags, Follow, PutBackPriority, RaisePriority, SetField

SKEW: Seconds = 5
"""How far the clocks of an instance's nodes may lie apart."""

LABEL = re.compile(r"[^\W_]+(?: [^\W_]+)*")
"""What ServiceNow keeps as the name of one of its own tags."""

Part = tuple[dict[str, Any], tuple[VendorAction, ...]]


def prepare_write(profile: Profile, ticket: Ticket, actions: tuple[VendorAction, ...], key: str) -> Prepared:
    """The fewest requests for these actions, without what already holds; gaps say what cannot be done. The columns and
    the first note and reply travel together; each request takes one of either."""
    wanted = [
        (action, part)
        for each in actions
        if (part := change(profile, ticket, action := within(profile, each)))
    ]
    fields = [(action, part) for action, part in wanted if "labels" not in part]
    notes = [each for each in actions if isinstance(each, Note)]
    private, public = ([note for note in notes if note.public is said] for said in (False, True))
    said = [
        (*private[place : place + 1], *public[place : place + 1])
        for place in range(max(len(private), len(public), 1))
    ]
    parts: list[Part] = [(merged(part for _, part in fields), (*(each for each, _ in fields), *said[0]))]
    parts += [({}, each) for each in said[1:]]
    parts = [(part, intent) for part, intent in parts if part or intent]
    parts += [(label, (action,)) for action, part in wanted for label in part.get("labels", ())]
    writes = tuple(
        Write(
            key=f"{key}:{number}",
            ref=ticket.ref,
            expects=ticket.revision,
            intent=intent,
            request=request(profile, ticket, part, intent, f"{key}:{number}"),
        )
        for number, (part, intent) in enumerate(parts, start=1)
    )
    gaps = tuple(gap for action in actions for gap in gaps_of(profile, ticket, action))
    return Prepared(writes=writes, gaps=gaps)


def request(
    profile: Profile, ticket: Ticket, part: Mapping[str, Any], intent: tuple[VendorAction, ...], key: str
) -> dict[str, Any]:
    """A request that can be stored: what is wanted, what is said, and what tells later whether it was done: `before` is
    what the things that it changes hold now, by common name."""
    if "label" in part:
        return dict(part)
    said = {
        answers.element(public=note.public): answers.replied(note.body)
        if note.public
        else answers.noted(note.body, key)
        for note in intent
        if isinstance(note, Note)
    }
    whole = {**part, "before": held_by(ticket, touched(profile, part))}
    if said:
        marks = {answers.words_mark(text) for text in said.values()}
        known = [each.act.id for each in ticket.messages if answers.words_mark(each.body) in marks]
        whole |= {"say": said, "known": known, "since": literal(ticket.updated - SKEW)}
    return whole


def within(profile: Profile, action: VendorAction) -> VendorAction:
    """The action without tags that would not come back as they were written."""
    if not isinstance(action, ChangeTags):
        return action
    return replace(action, add=frozenset(tag for tag in action.add if keeps(profile, tag)))


def keeps(profile: Profile, tag: str) -> bool:
    """Whether this account keeps such a tag."""
    return LABEL.fullmatch(tag) is not None if profile.tags == LABELS else can_keep(tag)


def change(profile: Profile, ticket: Ticket, action: VendorAction) -> dict[str, Any]:
    """One action's part of a request. Empty if it holds, cannot be, or is a note.

    Group and assignee go together: with the group alone, the assignee would stay in a group that is not theirs. A
    person without a group is left to the group the ticket is in. ServiceNow's own tags take one request each.
    """
    if unseen(profile, ticket, action):
        return {}
    match action:
        case Assign():
            group = action.group.id if action.group else ""
            assignee = action.assignee.id if action.assignee else ""
            held = (ticket.group.id if ticket.group else "", ticket.assignee.id if ticket.assignee else "")
            if (group, assignee) == held or (assignee and not group and assignee == held[1]):
                return {}
            whole = {"assigned_to": assignee}
            return {"columns": whole if assignee and not group else {"assignment_group": group, **whole}}
        case RaisePriority():
            rank = ticket.priority.rank if ticket.priority else 0
            return {"priority": NUMBERS[action.at_least]} if rank < action.at_least.rank else {}
        case PutBackPriority():
            return {} if ticket.priority == action.to else {"put_back": NUMBERS[action.to]}
        case ChangeTags():
            after = (ticket.tags - action.remove) | action.add
            if after == ticket.tags or not tags_fit(profile, after):
                return {}
            add = sorted(action.add - ticket.tags)
            remove = sorted((action.remove - action.add) & ticket.tags)
            if profile.tags != LABELS:
                return {"tags": {"add": add, "remove": remove}}
            both = [(tag, True) for tag in add] + [(tag, False) for tag in remove]
            return {"labels": [{"label": {"name": tag, "on": on}} for tag, on in both]}
        case SetField():
            name = action.field.removeprefix("custom.")
            key, value = profile.fields.get(name), stored(action.value)
            held_now = stored(ticket.custom.get(name))
            return {} if key is None or held_now == value else {"columns": {key: value}}
        case Follow():
            return {"follow": [action.person.id]}
        case Note():
            return {}


def unseen(profile: Profile, ticket: Ticket, action: VendorAction) -> list[str]:
    """The columns that this action needs to know and that are hidden from us: what stands in them would be lost, or
    written again and again."""
    columns: dict[str, str] = {}
    match action:
        case Assign():
            blind = {"group": ticket.group is None, "assignee": ticket.assignee is None}
            pointers = {"group": "assignment_group", "assignee": "assigned_to"}
            columns = {name: column for name, column in pointers.items() if blind[name]}
        case RaisePriority() | PutBackPriority():
            columns = {"priority": "priority"}
        case ChangeTags():
            columns = {"tags": tags_column(profile)}
        case SetField():
            held = profile.fields.get(action.field.removeprefix("custom."))
            columns = {action.field: held} if held else {}
        case Follow() | Note():
            pass
    return [column for name, column in columns.items() if name in ticket.hidden]


def stored(value: Value) -> str:
    """A value as ServiceNow stores it: text; none is empty."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(value)
    return "" if value is None else str(value)


def merged(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One request out of several parts."""
    whole: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            if name == "columns":
                whole[name] = {**whole.get(name, {}), **value}
            elif name == "tags":
                held = whole.get(name, {"add": [], "remove": []})
                whole[name] = {verb: sorted({*held[verb], *value[verb]}) for verb in held}
            elif name == "priority":
                whole[name] = min(value, whole.get(name, value))
            elif name == "put_back":
                whole[name] = value
            else:
                whole[name] = [*whole.get(name, []), *value]
    return whole


def touched(profile: Profile, part: Mapping[str, Any]) -> list[str]:
    """The common names of what a request changes."""
    names = common_names(profile)
    found = [names[column] for column in part.get("columns", ()) if column in names]
    both = {"priority": "priority", "put_back": "priority", "tags": "tags"}
    return [*found, *(name for key, name in both.items() if key in part)]


def gaps_of(profile: Profile, ticket: Ticket, action: VendorAction) -> Iterator[str]:
    """What this action asks for and ServiceNow, as this account is set up, cannot express."""
    if hidden := unseen(profile, ticket, action):
        what = {
            "assign": "group and assignee",
            "priority": "the priority",
            "put_back": "the priority",
            "tags": "tags",
        }
        said = action.field if isinstance(action, SetField) else what[action.kind]
        place = " and ".join(f"{profile.name}.{each}" for each in hidden)
        yield f"{said} cannot be changed: {place} is hidden from Uptier's user"
        return
    if isinstance(action, SetField) and action.field.removeprefix("custom.") not in profile.fields:
        yield f"{action.field} is not set: the account's fields do not map it"
    if isinstance(action, Note) and answers.is_cut(action.body, public=action.public):
        yield f"the {'reply' if action.public else 'note'} is cut: ServiceNow keeps {answers.LONGEST} characters"
    if isinstance(action, ChangeTags):
        for tag in sorted(action.add):
            if not keeps(profile, tag):
                yield f"tag {tag!r} is not added: {TAGS[profile.tags == LABELS]}"
        kept = within(profile, action)
        assert isinstance(kept, ChangeTags)
        if not tags_fit(profile, (ticket.tags - kept.remove) | kept.add):
            yield f"tags stay as they are: {profile.tags} holds {LONGEST_TAGS} characters in all"


TAGS = {
    True: "ServiceNow's own tags have letters, digits and single spaces",
    False: "tags in a column have no commas, no ^ and no spaces around them",
}


TOGETHER = frozenset({"assignment_group", "assigned_to"})
"""A group alone lets assignment rules choose the person."""

Columns = tuple[dict[str, str], list[NotTaken]]
"""Columns to send, and what cannot be had."""


def body_of(profile: Profile, matrix: Callable[[], Matrix], row: Row, request: Mapping[str, Any]) -> Columns:
    """The columns to send for what a request wants of this record, without what already holds."""
    parts: list[Columns] = [named(profile, row, request.get("columns", {}))]
    parts += [
        moved(profile, matrix, row, request[kind], exactly=kind == "put_back")
        for kind in ("priority", "put_back")
        if kind in request
    ]
    if "tags" in request:
        parts.append(tagged(profile, row, request["tags"]))
    if "follow" in request:
        parts.append(following(row, request["follow"]))
    body = {name: value for columns, _ in parts for name, value in columns.items()}
    return {**body, **request.get("say", {})}, [gap for _, gaps in parts for gap in gaps]


def named(profile: Profile, row: Row, asked: Mapping[str, str]) -> Columns:
    """Columns by their names. What stands in a hidden one is not written over; group and assignee are one thing."""
    hidden = {name for name in asked if raw(row, name) is None}
    if hidden & TOGETHER:
        hidden |= TOGETHER & asked.keys()
    plain = {name: value for name, value in asked.items() if name not in hidden and raw(row, name) != value}
    if TOGETHER & plain.keys():
        plain |= {name: value for name, value in asked.items() if name in TOGETHER}
    words = common_names(profile)
    return plain, [
        NotTaken(
            field=words.get(name, name),
            wanted=asked[name] or None,
            found=None,
            why=f"{profile.name}.{name} is hidden",
        )
        for name in sorted(hidden)
    ]


def without(field: str, wanted: Any, found: Any, why: str) -> Columns:
    """Nothing to send, and why."""
    return {}, [NotTaken(field=field, wanted=wanted, found=found, why=why)]


def moved(profile: Profile, matrix: Callable[[], Matrix], row: Row, wanted: int, *, exactly: bool) -> Columns:
    """The columns that bring a priority about, unless it holds: through impact and urgency, those that change, where it
    follows from them. `exactly` puts it back as it was; else a higher one will do."""
    held = raw(row, "priority")
    word, now = COMMON[str(wanted)], common(held or "")
    if held is None:
        return without("priority", word, None, f"{profile.name}.priority is hidden")
    if held == str(wanted) if exactly else reaches(held, wanted):
        return {}, []
    if not profile.derived:
        return {"priority": str(wanted)}, []
    impact, urgency = raw(row, "impact"), raw(row, "urgency")
    columns: dict[str, str] = {}
    if impact is not None and urgency is not None:
        able = {each: number for each, number in matrix().items() if not exactly or number == wanted}
        found = pair(able, impact, urgency, wanted) or (impact, urgency)
        both = {"impact": (impact, str(found[0])), "urgency": (urgency, str(found[1]))}
        columns = {column: value for column, (old, value) in both.items() if old != value}
    if columns:
        return columns, []
    hidden = [name for name, value in (("impact", impact), ("urgency", urgency)) if value is None]
    why = f"priority {wanted} cannot be reached through impact and urgency"
    return without("priority", word, now, f"{why}: {' and '.join(hidden)} hidden" if hidden else why)


def tagged(profile: Profile, row: Row, wanted: Mapping[str, Any]) -> Columns:
    """The tags' column, if it changes and is ours to change."""
    held = raw(row, profile.tags)
    now = tuple(sorted(read_tags(profile, held or "")))
    after = ({*now} - {*wanted["remove"]}) | {*wanted["add"]}
    aim = tuple(sorted(after))
    if held is None:
        return without("tags", aim, None, f"tags cannot be kept: {profile.tags} is hidden or not there")
    if are_foreign(profile, held):
        return without(
            "tags", aim, (), f"tags cannot be kept: another integration uses {profile.tags} of this record"
        )
    if not tags_fit(profile, after):
        return without(
            "tags", aim, now, f"tags cannot be kept: {profile.tags} holds {LONGEST_TAGS} characters"
        )
    spelled = spell_tags(profile, after)
    return ({profile.tags: spelled} if spelled != held else {}), []


def following(row: Row, people: list[str]) -> Columns:
    """The list of followers with these people on it, if it changes. It may hold addresses beside ids."""
    held = raw(row, FOLLOWERS)
    if held is None:
        return without(
            "follow", people, None, f"nobody can be made to follow: {FOLLOWERS} is hidden or not there"
        )
    listed = [each for part in held.split(",") if (each := part.strip())]
    new = [person for person in dict.fromkeys(people) if person not in listed]
    return ({FOLLOWERS: ",".join([*listed, *new])} if new else {}), []
