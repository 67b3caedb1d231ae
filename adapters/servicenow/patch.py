"""What is sent for a request: the columns of one PATCH, worked out on the record as it is right before.

Tags and followers are lists in one text, and a priority is reached from the impact and urgency there are. So
none of them can be written down when the request is prepared. Vendor sheet 2.3, 2.8 and 5.1.
"""

from collections.abc import Callable, Mapping
from typing import Any

from adapters.servicenow import tags
from adapters.servicenow.lookup import FOLLOWERS
from adapters.servicenow.priority import Matrix, pair, reaches
from adapters.servicenow.profile import Profile
from adapters.servicenow.rows import Row, raw, text

TOGETHER = frozenset({"assignment_group", "assigned_to"})
"""A group alone lets assignment rules choose the person."""

Part = tuple[dict[str, str], list[str]]
"""Columns to send, and what cannot be had."""


def body_of(profile: Profile, matrix: Callable[[], Matrix], row: Row, request: Mapping[str, Any]) -> Part:
    """The columns to send for what a request wants of this record, without what already holds."""
    asked: Mapping[str, str] = request.get("columns", {})
    plain = {name: value for name, value in asked.items() if raw(row, name) != value}
    if TOGETHER & plain.keys():
        plain |= {name: value for name, value in asked.items() if name in TOGETHER}
    parts: list[Part] = [(plain, [])]
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


def raised(profile: Profile, matrix: Callable[[], Matrix], row: Row, wanted: int) -> Part:
    """The priority, through impact and urgency where it follows from them."""
    if reaches(text(row, "priority"), wanted):
        return {}, []
    if not profile.derived:
        return {"priority": str(wanted)}, []
    columns = raising(matrix, row, wanted)
    return columns, [] if columns else [f"priority {wanted} cannot be reached through impact and urgency"]


def put_back(profile: Profile, matrix: Callable[[], Matrix], row: Row, wanted: int) -> Part:
    """The priority as it was, through impact and urgency where it follows from them."""
    if text(row, "priority") == str(wanted):
        return {}, []
    if not profile.derived:
        return {"priority": str(wanted)}, []
    exact = {each: number for each, number in matrix().items() if number == wanted}
    columns = raising(lambda: exact, row, wanted)
    return columns, [] if columns else [f"priority {wanted} cannot be reached through impact and urgency"]


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


def tagged(profile: Profile, row: Row, wanted: Mapping[str, Any]) -> Part:
    """The tags' column, if it changes and is ours to change."""
    held = raw(row, profile.tags)
    if held is None:
        return {}, [f"tags cannot be kept: {profile.tags} is hidden or not there"]
    if tags.is_foreign(profile, held):
        return {}, [f"tags cannot be kept: another integration uses {profile.tags} of this record"]
    after = ({*tags.read(profile, held)} - {*wanted["remove"]}) | {*wanted["add"]}
    if not tags.fits(profile, after):
        return {}, [f"tags cannot be kept: {profile.tags} holds {tags.LONGEST} characters"]
    spelled = tags.spell(profile, after)
    return ({profile.tags: spelled} if spelled != held else {}), []


def following(row: Row, people: list[str]) -> Part:
    """The list of followers with these people on it, if it changes. It may hold addresses beside ids."""
    held = raw(row, FOLLOWERS)
    if held is None:
        return {}, [f"nobody can be made to follow: {FOLLOWERS} is hidden or not there"]
    listed = [each for part in held.split(",") if (each := part.strip())]
    new = [person for person in dict.fromkeys(people) if person not in listed]
    return ({FOLLOWERS: ",".join([*listed, *new])} if new else {}), []
