"""Writes on the wire, and what is found of them afterwards.

ServiceNow has no conditional write, and drops with a 200 what an Access Control rule or a Business Rule does not
let through. So the record is read right before the PATCH, and the answer, which is the record after all rules
but asynchronous ones, is held against what was asked. Vendor sheet 1.8, 2.3 and 5.1.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.base import AccessLost, HelpdeskError, OutcomeUnknown, Receipt, Stale, WontAccept, Write
from adapters.servicenow import journal, labels
from adapters.servicenow.history import change_facts
from adapters.servicenow.lookup import FOLLOWERS, fetch
from adapters.servicenow.patch import body_of
from adapters.servicenow.priority import GROUNDS, reaches
from adapters.servicenow.profile import Profile
from adapters.servicenow.roster import Roster
from adapters.servicenow.rows import Row, instant, label, needed, number, raw, text
from adapters.servicenow.session import Line, legible
from adapters.servicenow.ticket import columns, values
from adapters.servicenow.writes import touched

BESIDE = ("state", "assignment_group", "assigned_to")
MOST_REVISIONS = 20


def send(line: Line, profile: Profile, roster: Roster, write: Write, expects: str) -> Receipt:
    """Read the record again, and write once if it still is at the revision `expects`."""
    before = fetch(line, profile, write.ref).row()
    found = needed(before, "sys_mod_count")
    if found != expects:
        raise Stale(f"{write.ref} is at revision {found}, not {expects}")
    if "label" in write.request:
        return labels.send(line, profile, write, before)
    body, left = body_of(profile, roster.matrix, before, write.request)
    if not body and left:
        raise WontAccept("; ".join(left))
    if not body:
        return Receipt(key=write.key, revision=found, at=instant(before, "sys_updated_on") or 0)
    answer = line.patch(profile.name, write.ref.id, body, (*columns(profile), FOLLOWERS))
    after = answer.result
    if not isinstance(after, dict) or not text(after, "sys_mod_count"):
        raise OutcomeUnknown(f"ServiceNow's answer to {write.key} has no record in it")
    with legible(writing=True):
        return accounted(line, profile, roster, write, (before, after), body, left)


def accounted(
    line: Line,
    profile: Profile,
    roster: Roster,
    write: Write,
    both: tuple[Row, Row],
    body: Mapping[str, str],
    left: list[str],
) -> Receipt:
    """What the answer proves, what it does not, and the receipt. WontAccept if nothing at all was stored."""
    before, after = both
    said: dict[str, str] = dict(write.request.get("say", {}))
    plain = {column: value for column, value in body.items() if column not in said}
    moved = (number(after, "sys_mod_count") or 0) - (number(before, "sys_mod_count") or 0)
    told = [*left, *differences(before, after, plain), *unreached(after, write.request)]
    entries, lost = looked_up(line, profile, roster, write, said)
    if not entries and not is_stored(before, after, plain, moved) and (moved < 1 or not said):
        if entries is None:
            raise OutcomeUnknown(f"ServiceNow took {write.key} and shows nothing of it; {'; '.join(lost)}")
        raise WontAccept("; ".join(["ServiceNow stored nothing of it", *told, *lost]))
    if moved > 1:
        told.append(f"the record moved by {moved} updates; a rule or somebody else wrote in that moment")
    return Receipt(
        key=write.key,
        revision=needed(after, "sys_mod_count"),
        at=instant(after, "sys_updated_on") or 0,
        facts=facts(write, entries or {}, both, plain),
        changed=changed(profile, write, values(profile, before), after),
        remarks=(*told, *lost, *beside(before, after, body)),
    )


def differences(before: Row, after: Row, plain: Mapping[str, str]) -> Iterator[str]:
    """Columns that are not as we wrote them: hidden, dropped without a word, or made into something else."""
    for column, value in plain.items():
        held = raw(after, column)
        if held is None:
            yield f"{column} is hidden from us or not there, so nobody can tell whether it was written"
        elif held != value and held == text(before, column):
            yield f"{column} was not written; Uptier's user may lack the right, or a rule put it back"
        elif held != value:
            yield f"{column} is {held or 'empty'} after the write, not {value or 'empty'}; a rule may have changed it"


def unreached(after: Row, request: Mapping[str, Any]) -> Iterator[str]:
    """A priority that did not follow."""
    held = text(after, "priority")
    if "priority" in request and not reaches(held, request["priority"]):
        yield f"the priority is {held or 'empty'} after the write, not {request['priority']}; look at its lookup rules"


def beside(before: Row, after: Row, body: Mapping[str, str]) -> Iterator[str]:
    """What changed in the moment of the write and was not ours."""
    for column in BESIDE:
        if column not in body and column in after and raw(after, column) != raw(before, column):
            yield f"{column} went from {text(before, column)} to {text(after, column)} in the moment of the write"


def is_stored(before: Row, after: Row, plain: Mapping[str, str], moved: int) -> bool:
    """Whether anything of these columns went in, as we wrote it or as a rule made of it."""
    held = [(raw(after, column), text(before, column)) for column in plain]
    return any(now is not None and now != old for now, old in held) or (
        moved > 0 and any(now is None for now, _ in held)
    )


def looked_up(
    line: Line, profile: Profile, roster: Roster, write: Write, said: dict[str, str]
) -> tuple[dict[str, str] | None, list[str]]:
    """The journal entries that we have just made, None if they cannot be asked for, and what to tell of it. What
    was said is said, whatever can be learned of it now, so no error leaves here."""
    if not said:
        return {}, []
    try:
        entries = entries_of(line, profile, roster, write, said)
    except HelpdeskError as error:
        return None, [f"the journal could not be read back: {error}"]
    lost = [name for name in said if name not in entries]
    told = "cannot be found in the journal; check that Uptier's user may write it"
    return entries, [f"{name} {told}" for name in lost]


def entries_of(
    line: Line, profile: Profile, roster: Roster, write: Write, said: dict[str, str]
) -> dict[str, str]:
    """The ids of the journal entries that are this write, by journal. Where the journal is closed to us, the
    record's own text still tells whether the reference of a note is there; the words of a reply in it could be
    anybody's. Raises AccessLost if nothing was found and the journal is closed."""
    bot = roster.bot()
    where = {"element_id": [write.ref.id], "element": list(said), "sys_created_by": [bot]}
    closed: AccessLost | None = None
    rows: list[Row] = []
    try:
        rows = line.every(journal.TABLE, where, journal.COLUMNS)
    except AccessLost as error:
        closed = error
    since = str(write.request.get("since", ""))
    found = journal.written(rows, bot, said, write.request.get("known", ()), since)
    if journal.NOTES in said and journal.NOTES not in found:
        found |= shown(line, profile, write, said[journal.NOTES])
    if closed is not None and not found:
        raise closed
    return found


def shown(line: Line, profile: Profile, write: Write, note: str) -> dict[str, str]:
    """The note's reference in place of its id, if the record shows it among its work notes."""
    row = line.record(profile.name, write.ref.id, (journal.NOTES,)).result
    mark = journal.mark_of(journal.NOTES, note)
    there = isinstance(row, dict) and f"[{mark}]" in label(row, journal.NOTES)
    return {journal.NOTES: mark} if there else {}


def facts(
    write: Write,
    entries: Mapping[str, str],
    both: tuple[Row, Row],
    plain: Mapping[str, str],
) -> tuple[str, ...]:
    """The names under which what we did will come back in the journal and in the audit."""
    before, after = both
    said = write.request.get("say", {})
    marks = [journal.mark_of(name, text) for name, text in said.items()]
    named = [*plain, *priority_of(write, plain)]
    first = (number(before, "sys_mod_count") or 0) + 1
    last = max(first, number(after, "sys_mod_count") or 0)
    revisions = range(first, min(last, first + MOST_REVISIONS) + 1)
    changes = change_facts(named, revisions, text(after, "sys_updated_on"), after) if named else ()
    return tuple(dict.fromkeys([*entries.values(), *marks, *changes]))


def priority_of(write: Write, plain: Mapping[str, str]) -> list[str]:
    """The priority's column, if the write moves it without naming it."""
    moves = "priority" in write.request or "put_back" in write.request
    return ["priority"] if moves and "priority" not in plain else []


def changed(
    profile: Profile, write: Write, before: Mapping[str, Any], after: Row
) -> tuple[tuple[str, Any, Any], ...]:
    """What is other than before among what the write was about, by common name."""
    now = values(profile, after)
    pairs = [(name, before.get(name), now[name]) for name in touched(profile, write.request)]
    return tuple((name, old, new) for name, old, new in pairs if old != new)


def written_columns(profile: Profile, request: Mapping[str, Any]) -> Iterator[str]:
    """The columns that a request may have written; which of impact and urgency it was, nobody knows afterwards."""
    yield from request.get("columns", ())
    if "tags" in request:
        yield profile.tags
    if "follow" in request:
        yield FOLLOWERS
    if profile.derived and not request.keys().isdisjoint(("priority", "put_back")):
        yield from GROUNDS


def find_written(line: Line, profile: Profile, roster: Roster, write: Write) -> Receipt | None:
    """Look for what was said in the journal, else for the state that was wanted on the record. Raises Gone."""
    row = fetch(line, profile, write.ref).row()
    if "label" in write.request:
        return labels.find_written(line, profile, write, row)
    said: dict[str, str] = dict(write.request.get("say", {}))
    entries = entries_of(line, profile, roster, write, said) if said else {}
    if said and not entries:
        return None
    with legible():
        body, left = body_of(profile, roster.matrix, row, {**write.request, "say": {}})
        if not said and (body or left):
            return None
        return found(profile, write, row, entries, body)


def found(
    profile: Profile, write: Write, row: Row, entries: Mapping[str, str], missing: Mapping[str, str]
) -> Receipt:
    """The receipt of a write that is there. What was before, the write remembers."""
    wanted = written_columns(profile, write.request)
    plain = {column: text(row, column) for column in wanted if column not in missing}
    held = write.request.get("before", {})
    before = {name: tuple(value) if isinstance(value, list) else value for name, value in held.items()}
    started = {**row, "sys_mod_count": write.expects}
    return Receipt(
        key=write.key,
        revision=needed(row, "sys_mod_count"),
        at=instant(row, "sys_updated_on") or 0,
        facts=facts(write, entries, (started, row), plain),
        changed=changed(profile, write, before, row),
        remarks=tuple(f"{column} is not as it was to be written" for column in missing),
    )
