"""Writes on the wire, what is found of them afterwards, and ServiceNow's own labels as tags.

ServiceNow has no conditional write, and drops with a 200 what an Access Control rule or a Business Rule does not
let through. So the record is read right before the PATCH, if only at the end of a reading that decides; and the answer,
which is the record after all rules but asynchronous ones, is held against what was asked. Sheet 1.8, 2.3, 5.1.

Out of the box ServiceNow refuses the entry, or makes one that is tied to nothing; such a one is taken away again
and told. An entry does not change the record's revision. Vendor sheet 2.8,
https://www.servicenow.com/docs/r/platform-user-interface/administering-tags.html
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from adapters.base import (
    HelpdeskError,
    NotAllowed,
    NotTaken,
    OutcomeUnknown,
    Receipt,
    RefusedPart,
    Stale,
    TryLater,
    Unreadable,
    WontAccept,
    Write,
)
from adapters.http import UNREADABLE, UNSAID
from adapters.servicenow import answers
from adapters.servicenow.answers import OddValue, Row, instant, label, number, raw, text
from adapters.servicenow.client import Client, legible, sys_id
from adapters.servicenow.feed import FOLLOWERS, fetch
from adapters.servicenow.history import WITHIN_A_SECOND, change_facts, common_value
from adapters.servicenow.people import IdentityCache
from adapters.servicenow.profile import COMMON, GROUNDS, LABELS, Profile, common, reaches
from adapters.servicenow.ticket import columns, common_names, read_tags, read_ticket, revision, tags, values
from adapters.servicenow.writes import body_of, touched
from policies.model import Act, Change, Message, TicketRef, Who

BESIDE = ("state", "assignment_group", "assigned_to")
MOST_REVISIONS = 20
MOST_LATEST = 1000


class Latest:
    """The record of each ticket that was just read, with nothing read behind it. Any thread may ask."""

    def __init__(self) -> None:
        self._rows: dict[TicketRef, Row] = {}

    def keep(self, ref: TicketRef, row: Row | None) -> None:
        """Remember it; None forgets what is known."""
        self._rows.pop(ref, None)
        if row is not None:
            if len(self._rows) >= MOST_LATEST:
                self._rows.clear()
            self._rows[ref] = row

    def take(self, ref: TicketRef, expects: str) -> Row | None:
        """The record at that revision, once."""
        row = self._rows.pop(ref, None)
        return row if row is not None and revision(row) == expects else None


def send(
    client: Client,
    profile: Profile,
    identities: IdentityCache,
    write: Write,
    expects: str,
    known: Row | None = None,
) -> tuple[Receipt, Row | None]:
    """Read the record again, unless it is `known`, and write once if it still is at the revision `expects`. Answers
    with the record afterwards, where nobody else wrote to it meanwhile. What was said comes back in the answer too:
    the journal as one text, the newest entry first."""
    before = known or present(client, profile, write, sending=True)
    with legible():
        found = revision(before)
        if found != expects:
            raise Stale(f"{write.ref} is at revision {found}, not {expects}")
        if "label" in write.request:
            return send_labels(client, profile, write, before), None
        body, left = body_of(profile, identities.matrix, before, write.request)
    if not body and left:
        parts = [RefusedPart(field=each.field, vendor_field="", text=each.why) for each in left]
        raise WontAccept("; ".join(each.why for each in left), tuple(parts))
    if not body:
        at = instant(before, "sys_updated_on") or 0
        return Receipt(key=write.key, revision=found, at=at, complete=True), before
    shown = (*columns(profile), FOLLOWERS, *write.request.get("say", {}))
    try:
        answer = client.patch(profile.name, write.ref.id, body, shown)
    except (WontAccept, NotAllowed) as error:
        if parts := refused_parts(profile, body, str(error)):
            raise WontAccept(str(error), tuple(parts)) from error
        raise
    after = answer.result
    try:
        known_now = isinstance(after, dict) and bool(revision(after))
    except OddValue:
        known_now = False
    if not known_now:
        raise OutcomeUnknown(f"ServiceNow's answer to {write.key} has no record in it")
    with legible(writing=True):
        made = accounted(client, profile, identities, write, (before, after), body, left)
    counts = number(before, "sys_mod_count"), number(after, "sys_mod_count")
    if None in counts or counts[1] != (counts[0] or 0) + 1:
        return made, None
    row = {"sys_id": write.ref.id, **after}
    try:
        stands = read_ticket(profile, row, read_at=answer.at)
    except UNREADABLE:
        return made, None  # it is written, whatever can be learned of the record now
    return replace(
        made, after=stands, acts=tuple(acts(profile, write, (before, after), body)), complete=True
    ), row


def acts(
    profile: Profile, write: Write, both: tuple[Row, Row], body: Mapping[str, str]
) -> Iterator[Message | Change]:
    """What we have just said and changed, in front of all else of its second: nothing of that second is taken for
    older."""
    before, after = both
    at = instant(after, "sys_updated_on") or 0
    sequence = at * WITHIN_A_SECOND
    for name, said in write.request.get("say", {}).items():
        row, mark = {"element": name, "value": said}, answers.mark_of(name, said)
        act = Act(sequence=sequence, id=mark, at=at, who=Who.BOT, mark=mark)
        yield Message(act=act, public=name == answers.COMMENTS, body=answers.body(row))
    for column, name in common_names(profile).items():
        old, new = raw(before, column), raw(after, column)
        ours = column in body or (column == "priority" and bool(GROUNDS & body.keys()))
        if ours and None not in (old, new) and old != new:
            fact = f"{number(after, 'sys_mod_count')}:{column}"
            act = Act(sequence=sequence, id=fact, at=at, who=Who.BOT)
            values_of = (common_value(profile, name, text(row, column)) for row in both)
            yield Change(act=act, field=name, before=next(values_of), after=next(values_of))


def present(client: Client, profile: Profile, write: Write, *, sending: bool = False) -> Row:
    """The record as it stands in front of a write, or when looking for one. Nothing is sent on an answer that cannot
    be read, nor where the stamp alone tells revisions apart and its second is not over: TryLater."""
    try:
        answer = fetch(client, profile, write.ref)
        row = {"sys_id": write.ref.id, **answer.row()}
    except Unreadable as error:
        raise TryLater(str(error), UNSAID) from error
    stamp = instant(row, "sys_updated_on")
    if sending and raw(row, "sys_mod_count") is None and stamp is not None and 0 < answer.at <= stamp:
        raise TryLater(f"{write.ref} changed in this second, and ServiceNow shows no count of its changes", 1)
    return row


COLUMN_NAMES = {
    "assigned_to": "assigned to", "assignment_group": "assignment group", "impact": "impact", "urgency": "urgency",
    "priority": "priority", answers.COMMENTS: "additional comments", answers.NOTES: "work notes",
    FOLLOWERS: "work notes list", "correlation_display": "correlation display",
}  # fmt: skip
"""What a form calls the columns that we write, in English, as data policies name them."""

SPOKEN = {
    answers.NOTES: "note",
    answers.COMMENTS: "reply",
    FOLLOWERS: "follow",
    "impact": "priority",
    "urgency": "priority",
}
MANDATORY = re.compile(r"fields are mandatory: ([^;]+)", re.IGNORECASE)


def refused_parts(profile: Profile, body: Mapping[str, str], said: str) -> list[RefusedPart]:
    """The columns of ours that a refusal names, by column or by what the form calls it, and the mandatory fields it
    names that are none of ours."""
    words = {**common_names(profile), **SPOKEN}
    parts: list[RefusedPart] = []
    told = re.sub(r"/api/\S+", "", said)
    for column in body:
        called = {column, COLUMN_NAMES.get(column, column.removeprefix("u_").replace("_", " "))}
        if any(re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", told, re.IGNORECASE) for name in called):
            parts.append(RefusedPart(field=words.get(column, ""), vendor_field=column, text=said))
    named = MANDATORY.search(said)
    if not parts and named:
        fields = [each.strip() for each in named[1].split(",")]
        parts = [RefusedPart(field="", vendor_field=each, text=said) for each in fields if each]
    return parts


def accounted(
    client: Client,
    profile: Profile,
    identities: IdentityCache,
    write: Write,
    both: tuple[Row, Row],
    body: Mapping[str, str],
    left: list[NotTaken],
) -> Receipt:
    """What the answer proves, what it does not, and the receipt. WontAccept if nothing at all was stored."""
    before, after = both
    said: dict[str, str] = dict(write.request.get("say", {}))
    plain = {column: value for column, value in body.items() if column not in said}
    counts = number(before, "sys_mod_count"), number(after, "sys_mod_count")
    moved = int(revision(before) != revision(after))
    if counts[0] is not None and counts[1] is not None:
        moved = counts[1] - counts[0]
    missing = [*left, *differences(profile, before, after, plain), *unreached(after, write.request)]
    told = [
        f"{column} is hidden from us or not there, so nobody can tell whether it was written"
        for column in plain
        if raw(after, column) is None
    ]
    entries, lost, why = shown_at_once(after, said)
    if entries is None:
        entries, lost, why = looked_up(client, profile, identities, write, said)
    missing += lost
    held = [(raw(after, column), text(before, column)) for column in plain]
    stored = any(now != old if now is not None else moved > 0 for now, old in held)
    if not entries and not stored and (moved < 1 or not said):
        reasons = [*(each.why for each in missing), *told, *why]
        if entries is None:
            raise OutcomeUnknown(f"ServiceNow took {write.key} and shows nothing of it; {'; '.join(reasons)}")
        raise WontAccept("; ".join(["ServiceNow stored nothing of it", *reasons]))
    if moved > 1:
        told.append(f"the record moved by {moved} updates; a rule or somebody else wrote in that moment")
    beside = [
        f"{column} went from {text(before, column)} to {text(after, column)} in the moment of the write"
        for column in BESIDE
        if column not in body and column in after and raw(after, column) != raw(before, column)
    ]
    return Receipt(
        key=write.key,
        revision=revision(after),
        at=instant(after, "sys_updated_on") or 0,
        facts=facts(write, entries or {}, both, plain),
        changed=changed(profile, write, values(profile, before), after),
        not_taken=tuple(missing),
        remarks=(*told, *why, *beside),
    )


def differences(profile: Profile, before: Row, after: Row, plain: Mapping[str, str]) -> Iterator[NotTaken]:
    """Columns that are not as we wrote them: dropped without a word, or made into something else. Impact and urgency
    are only the way to a priority, which is looked at by itself."""
    words = {**common_names(profile), FOLLOWERS: "follow"}
    for column, value in plain.items():
        held = raw(after, column)
        if held is None or held == value or column in ("priority", *(GROUNDS if profile.derived else ())):
            continue
        why = f"{column} is {held or 'empty'} after the write, not {value or 'empty'}; a rule may have changed it"
        if held == text(before, column):
            why = f"{column} was not written; Uptier's user may lack the right, or a rule put it back"
        wanted, found = (common_of(profile, column, each) for each in (value, held))
        yield NotTaken(field=words.get(column, column), wanted=wanted, found=found, why=why)


def common_of(profile: Profile, column: str, stored: str) -> Any:
    """What a column's text means in common values."""
    if column == profile.tags:
        return tuple(sorted(read_tags(profile, stored)))
    if column == FOLLOWERS:
        return tuple(each for part in stored.split(",") if (each := part.strip()))
    return stored or None


def unreached(after: Row, request: Mapping[str, Any]) -> Iterator[NotTaken]:
    """A priority that did not follow."""
    held = raw(after, "priority")
    if held is None:
        return
    why = f"the priority is {held or 'empty'} after the write, not {{}}; look at its lookup rules"
    for name in ("priority", "put_back"):
        wanted = request.get(name)
        there = wanted is None or (reaches(held, wanted) if name == "priority" else held == str(wanted))
        if not there:
            yield NotTaken(
                field="priority", wanted=COMMON[str(wanted)], found=common(held), why=why.format(wanted)
            )


Journaled = tuple[dict[str, str] | None, list[NotTaken], list[str]]
"""Entries by journal, what is not there, and what else to tell."""

HEADER = 300
"""How far behind the beginning of a journal's text its newest entry begins: a time, a name and what the journal is
called stand before it."""


def shown_at_once(after: Row, said: Mapping[str, str]) -> Journaled:
    """Our words in the journals of the record, by journal, under the marks that they will come back with; None where it
    does not show them all, or not as the newest."""
    for name, words in said.items():
        sought = answers.squeezed(words)
        if sought not in answers.squeezed(label(after, name))[: HEADER + len(sought)]:
            return None, [], []
    return {name: answers.mark_of(name, words) for name, words in said.items()}, [], []


def looked_up(
    client: Client, profile: Profile, identities: IdentityCache, write: Write, said: dict[str, str]
) -> Journaled:
    """The journal entries that we have just made, None if they cannot be asked for; what of it is not there, and
    what else to tell. What was said is said, whatever can be learned of it now, so no error leaves here."""
    if not said:
        return {}, [], []
    try:
        with legible():
            entries = entries_of(client, profile, identities, write, said)
    except HelpdeskError as error:
        return None, [], [f"the journal could not be read back: {error}"]
    told = "cannot be found in the journal; check that Uptier's user may write it"
    missing = {name: f"{name} {told}" for name in said if name not in entries}
    lost = {name for name in missing if is_absent(client, profile, write, name, said[name])}
    return (
        entries,
        [
            NotTaken(field=SPOKEN[name], wanted=said[name], found=None, why=missing[name])
            for name in sorted(lost)
        ],
        [why for name, why in missing.items() if name not in lost],
    )


def is_absent(client: Client, profile: Profile, write: Write, name: str, said: str) -> bool:
    """Whether the record itself, which shows its whole journal as one text, says that these words are not in it. An
    instance may hide the entries and not the text, so an entry that is not found proves nothing."""
    try:
        with legible():
            row = client.record(profile.name, write.ref.id, (name,)).row()
            shown = label(row, name)
            return name in row and answers.squeezed(said) not in answers.squeezed(shown)
    except HelpdeskError:
        return False


def entries_of(
    client: Client, profile: Profile, identities: IdentityCache, write: Write, said: dict[str, str]
) -> dict[str, str]:
    """The ids of the journal entries that are this write, by journal. Where the journal is closed to us, the
    record's own text still tells whether the reference of a note is there; the words of a reply in it could be
    anybody's. Raises NotAllowed if nothing was found and the journal is closed."""
    bot = identities.bot()
    where = {"element_id": [write.ref.id], "element": list(said), "sys_created_by": [bot]}
    closed: NotAllowed | None = None
    rows: list[Row] = []
    try:
        rows = client.every(answers.TABLE, where, answers.COLUMNS).rows
    except NotAllowed as error:
        closed = error
    since = str(write.request.get("since", ""))
    found = answers.written(rows, bot, said, write.request.get("known", ()), since)
    if answers.NOTES in said and answers.NOTES not in found:
        found |= shown(client, profile, write, said[answers.NOTES])
    if closed is not None and not found:
        raise closed
    return found


def shown(client: Client, profile: Profile, write: Write, note: str) -> dict[str, str]:
    """The note's reference in place of its id, if the record shows it among its work notes."""
    row = client.record(profile.name, write.ref.id, (answers.NOTES,)).result
    mark = answers.mark_of(answers.NOTES, note)
    there = isinstance(row, dict) and f"[{mark}]" in label(row, answers.NOTES)
    return {answers.NOTES: mark} if there else {}


def facts(
    write: Write,
    entries: Mapping[str, str],
    both: tuple[Row, Row],
    plain: Mapping[str, str],
) -> tuple[str, ...]:
    """The names under which what we did will come back in the journal and in the audit."""
    before, after = both
    said = write.request.get("say", {})
    marks = [answers.mark_of(name, text) for name, text in said.items()]
    moves = not write.request.keys().isdisjoint(("priority", "put_back"))
    named = [*plain, *(["priority"] if moves and "priority" not in plain else [])]
    first = (number(before, "sys_mod_count") or 0) + 1
    last = max(first, number(after, "sys_mod_count") or 0)
    revisions = range(first, min(last, first + MOST_REVISIONS) + 1)
    changes = change_facts(named, revisions, text(after, "sys_updated_on"), after) if named else ()
    return tuple(dict.fromkeys([*entries.values(), *marks, *changes]))


def changed(
    profile: Profile, write: Write, before: Mapping[str, Any], after: Row
) -> tuple[tuple[str, Any, Any], ...]:
    """What is other than before among what the write was about, by common name."""
    now = values(profile, after)
    shown = [name for name in touched(profile, write.request) if name in now]
    pairs = [(name, before.get(name), now[name]) for name in shown]
    return tuple((name, old, new) for name, old, new in pairs if old != new)


def find_written(client: Client, profile: Profile, identities: IdentityCache, write: Write) -> Receipt | None:
    """Look for what was said in the journal, else for the state that was wanted on the record. Raises Gone."""
    row = present(client, profile, write)
    if "label" in write.request:
        return find_labels(client, profile, write, row)
    said: dict[str, str] = dict(write.request.get("say", {}))
    with legible():
        entries = entries_of(client, profile, identities, write, said) if said else {}
        if said and not entries:
            return None
        body, left = body_of(profile, identities.matrix, row, {**write.request, "say": {}})
        if not said and (body or left):
            return None
        return found(profile, write, row, entries, body, left)


def found(
    profile: Profile,
    write: Write,
    row: Row,
    entries: Mapping[str, str],
    missing: Mapping[str, str],
    left: list[NotTaken],
) -> Receipt:
    """The receipt of a write that is there. What was before, the write remembers; which of impact and urgency it wrote,
    nobody knows afterwards."""
    asked = write.request
    lists = {profile.tags: "tags", FOLLOWERS: SPOKEN[FOLLOWERS]}
    wanted = [*asked.get("columns", ()), *(column for column, key in lists.items() if key in asked)]
    if profile.derived and not asked.keys().isdisjoint(("priority", "put_back")):
        wanted += GROUNDS
    plain = {column: text(row, column) for column in wanted if column not in missing}
    held = asked.get("before", {})
    before = {name: tuple(value) if isinstance(value, list) else value for name, value in held.items()}
    started = {**row, "sys_mod_count": write.expects} if "sys_mod_count" in row else row
    words = {**common_names(profile), **SPOKEN}
    unlike = [
        NotTaken(
            field=words.get(column, column),
            wanted=common_of(profile, column, value),
            found=common_of(profile, column, text(row, column)),
            why=f"{column} is not as it was to be written",
        )
        for column, value in missing.items()
        if column not in ("priority", *GROUNDS)
    ]
    return Receipt(
        key=write.key,
        revision=revision(row),
        at=instant(row, "sys_updated_on") or 0,
        facts=facts(write, entries, (started, row), plain),
        changed=changed(profile, write, before, row),
        not_taken=(*left, *unlike, *unreached(row, asked)),
    )


LABEL = "label"


def send_labels(client: Client, profile: Profile, write: Write, row: Row) -> Receipt:
    """Tie the label to the record, or untie it."""
    name = str(write.request["label"]["name"])
    label = label_of(client, name)
    tied = entries(client, label, write) if label else []
    if write.request["label"]["on"]:
        if not tied:
            try:
                tie(client, profile, write, label or made(client, name))
            except NotAllowed as error:
                part = RefusedPart(field="tags", vendor_field=LABELS, text=str(error))
                raise WontAccept(str(error), (part,)) from error
    else:
        for entry in tied:
            client.delete(LABELS, entry)
    return receipt(profile, write, row)


def find_labels(client: Client, profile: Profile, write: Write, row: Row) -> Receipt | None:
    """Whether the label is tied to the record as it was to be."""
    label = label_of(client, str(write.request["label"]["name"]))
    tied = bool(label and entries(client, label, write))
    return receipt(profile, write, row) if tied == write.request["label"]["on"] else None


def label_of(client: Client, name: str) -> str | None:
    """The id of the one label of that name, or None. WontAccept where there are several."""
    rows = client.every(LABEL, {"name": [name], "type": ["standard"]}, ("name",)).rows
    if len(rows) > 1:
        raise WontAccept(f"ServiceNow has {len(rows)} tags named {name!r}; leave one")
    return sys_id(rows[0]) if rows else None


def made(client: Client, name: str) -> str:
    """A new label that everybody sees."""
    answer = client.post(LABEL, {"name": name, "type": "standard", "viewable_by": "everyone"})
    if not isinstance(answer.result, dict) or not sys_id(answer.result):
        raise OutcomeUnknown(f"ServiceNow's answer to the new tag {name!r} has no record in it")
    return sys_id(answer.result)


def entries(client: Client, label: str, write: Write) -> list[str]:
    """The ids of what ties this label to the record."""
    rows = client.every(LABELS, {"label": [label], "table_key": [write.ref.id]}, ("label",)).rows
    return [sys_id(row) for row in rows]


def tie(client: Client, profile: Profile, write: Write, label: str) -> None:
    """Make the entry, and take it away again if it came out tied to nothing."""
    said = {"label": label, "table": profile.name, "table_key": write.ref.id}
    result = client.post(LABELS, said).result
    if not isinstance(result, dict) or not sys_id(result):
        raise OutcomeUnknown(f"ServiceNow's answer to {write.key} has no record in it")
    with legible(writing=True):
        tied = (text(result, "table_key"), text(result, "table"))
    if tied != (write.ref.id, profile.name):
        client.delete(LABELS, sys_id(result))
        raise WontAccept(
            "ServiceNow ties no tag to a record over REST: label_entry's columns are closed to Uptier's user. "
            "Keep the tags in a column instead (docs/servicenow.md)"
        )


def receipt(profile: Profile, write: Write, row: Row) -> Receipt:
    """The receipt. The audit does not tell of labels, so there is no fact to name."""
    name, on = str(write.request["label"]["name"]), bool(write.request["label"]["on"])
    before = tags(profile, row)
    after = before | {name} if on else before - {name}
    pair = (("tags", tuple(sorted(before)), tuple(sorted(after))),) if before != after else ()
    return Receipt(
        key=write.key,
        revision=revision(row),
        at=instant(row, "sys_updated_on") or 0,
        changed=pair,
    )
