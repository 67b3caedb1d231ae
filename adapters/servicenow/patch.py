"""What is sent for a request: the columns of one PATCH, worked out on the record as it is right before.

Tags and followers are lists in one text, and a priority is reached from the impact and urgency there are. So
none of them can be written down when the request is prepared. Vendor sheet 2.3, 2.8 and 5.1.
"""

from collections.abc import Callable, Mapping
from typing import Any

from adapters.base import NotTaken
from adapters.servicenow import tags
from adapters.servicenow.lookup import FOLLOWERS
from adapters.servicenow.priority import COMMON, Matrix, common, pair, reaches
from adapters.servicenow.profile import Profile
from adapters.servicenow.rows import Row, raw, text
from adapters.servicenow.ticket import common_names

TOGETHER = frozenset({"assignment_group", "assigned_to"})
"""A group alone lets assignment rules choose the person."""

Columns = tuple[dict[str, str], list[NotTaken]]
"""Columns to send, and what cannot be had."""


def body_of(profile: Profile, matrix: Callable[[], Matrix], row: Row, request: Mapping[str, Any]) -> Columns:
    """The columns to send for what a request wants of this record, without what already holds."""
    parts: list[Columns] = [named(profile, row, request.get("columns", {}))]
    if "priority" in request:
        parts.append(raised(profile, matrix, row, request["priority"]))
    if "put_back" in request:
        parts.append(put_back(profile, matrix, row, request["put_back"]))
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


def raised(profile: Profile, matrix: Callable[[], Matrix], row: Row, wanted: int) -> Columns:
    """The priority, through impact and urgency where it follows from them."""
    return moved(profile, matrix, row, wanted, holds=reaches(text(row, "priority"), wanted))


def put_back(profile: Profile, matrix: Callable[[], Matrix], row: Row, wanted: int) -> Columns:
    """The priority as it was, through impact and urgency where it follows from them."""

    def exact() -> Matrix:
        return {each: number for each, number in matrix().items() if number == wanted}

    return moved(profile, exact, row, wanted, holds=text(row, "priority") == str(wanted))


def moved(profile: Profile, matrix: Callable[[], Matrix], row: Row, wanted: int, *, holds: bool) -> Columns:
    """The columns that bring a priority about, unless it holds."""
    word, now = COMMON[str(wanted)], common(text(row, "priority"))
    if raw(row, "priority") is None:
        return without("priority", word, None, f"{profile.name}.priority is hidden")
    if holds:
        return {}, []
    if not profile.derived:
        return {"priority": str(wanted)}, []
    if columns := raising(matrix, row, wanted):
        return columns, []
    hidden = [name for name in ("impact", "urgency") if raw(row, name) is None]
    why = f"priority {wanted} cannot be reached through impact and urgency"
    return without("priority", word, now, f"{why}: {' and '.join(hidden)} hidden" if hidden else why)


def raising(matrix: Callable[[], Matrix], row: Row, wanted: int) -> dict[str, str]:
    """Impact and urgency that reach a priority, those that change; none where they are hidden or cannot."""
    held = raw(row, "impact"), raw(row, "urgency")
    if held[0] is None or held[1] is None:
        return {}
    found = pair(matrix(), held[0], held[1], wanted)
    if found is None:
        return {}
    named = {"impact": str(found[0]), "urgency": str(found[1])}
    return {column: value for column, value in named.items() if text(row, column) != value}


def tagged(profile: Profile, row: Row, wanted: Mapping[str, Any]) -> Columns:
    """The tags' column, if it changes and is ours to change."""
    held = raw(row, profile.tags)
    now = tuple(sorted(tags.read(profile, held or "")))
    after = ({*now} - {*wanted["remove"]}) | {*wanted["add"]}
    aim = tuple(sorted(after))
    if held is None:
        return without("tags", aim, None, f"tags cannot be kept: {profile.tags} is hidden or not there")
    if tags.is_foreign(profile, held):
        return without(
            "tags", aim, (), f"tags cannot be kept: another integration uses {profile.tags} of this record"
        )
    if not tags.fits(profile, after):
        return without(
            "tags", aim, now, f"tags cannot be kept: {profile.tags} holds {tags.LONGEST} characters"
        )
    spelled = tags.spell(profile, after)
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
