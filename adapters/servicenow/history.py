"""The journal and the audit as messages, changes and counts.

Neither numbers its entries across both, so the stamp orders them, and within one second ServiceNow's own order,
messages before changes. `sys_audit` has one row a column; `record_checkpoint` is the `sys_mod_count` that the
update left, which names the update. Where an instance leaves it out, stamp and value name the change.
https://www.servicenow.com/docs/r/platform-security/c_UnderstandingTheSysAuditTable.html
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from adapters.base import count_changes
from adapters.servicenow import answers
from adapters.servicenow.answers import OddValue, Row, instant, label, number, raw, text, user
from adapters.servicenow.people import AuthorClassifier
from adapters.servicenow.profile import Profile, common
from adapters.servicenow.ticket import common_names, read_tags, status
from policies.model import Act, Change, Counts, Instant, Message, Need, Status, Ticket, Value, Who

AUDIT = "sys_audit"
AUDITED = (
    "documentkey", "fieldname", "oldvalue", "newvalue", "user", "record_checkpoint", "sys_created_on",
)  # fmt: skip
OPENING = "opening"
WITHIN_A_SECOND = 1000
AFTER_MESSAGES = 500
STATUS = ("state", "hold_reason")


def audited(profile: Profile) -> list[str]:
    """The columns whose changes are read. What was said is audited too: without a change of ours to show, it proves
    that the audit is shown to us at all."""
    return [*STATUS, *common_names(profile), *answers.ELEMENTS]


def change_facts(columns: Iterable[str], revisions: Iterable[int], stamp: str, after: Row) -> Iterator[str]:
    """The names under which our own changes will come back: by revision, and by stamp and value."""
    listed = list(columns)
    for revision in revisions:
        yield from (f"{revision}:{column}" for column in listed)
    yield from (stamped(stamp, column, text(after, column)) for column in listed)


def stamped(stamp: str, column: str, value: str) -> str:
    """The name of a change that no revision names."""
    return f"{stamp}:{column}={value}"[:120]


def read_messages(ticket: Ticket, entries: Iterable[Row], authors: AuthorClassifier) -> tuple[Message, ...]:
    """The description, or the subject where there is none, and all that was said since, oldest first. An incident is
    what its requester asks, whoever typed it in."""
    asked = ticket.requester
    act = Act(
        sequence=ticket.created * WITHIN_A_SECOND,
        id=OPENING,
        at=ticket.created,
        who=Who.CUSTOMER if asked else Who.AUTOMATION,
        person=asked.id if asked else None,
    )
    body = ticket.description or ticket.subject
    made = [Message(act=act, public=True, body=body, auto_reply=asked is None)]
    ordered = sorted(entries, key=lambda row: text(row, "sys_created_on"))
    for at, rows in groupby(ordered, key=stamp_of):
        made += [message(row, at, rank, authors) for rank, row in enumerate(rows, start=1)]
    return tuple(made)


def stamp_of(row: Row) -> Instant:
    """When a row of a history came to be. OddValue where it does not tell: then the history cannot be told."""
    found = instant(row, "sys_created_on")
    if found is None:
        raise OddValue(f"{text(row, 'sys_created_on')[:20]!r} is no stamp")
    return found


def shown(row: Row, *columns: str) -> Row:
    """The row. OddValue where it lacks one of these columns, or holds what no column holds."""
    lacking = [column for column in columns if raw(row, column) is None]
    if lacking:
        raise OddValue(f"{', '.join(lacking)} is not shown")
    return row


def message(row: Row, at: Instant, rank: int, authors: AuthorClassifier) -> Message:
    """One journal entry."""
    shown(row, "sys_created_by", "element", "value")
    name, public = user(row, "sys_created_by"), text(row, "element") == answers.COMMENTS
    who = authors.wrote(name, public=public)
    return Message(
        act=Act(
            sequence=at * WITHIN_A_SECOND + rank,
            id=text(row, "sys_id"),
            at=at,
            who=who,
            person=authors.person(name),
            mark=answers.mark(row) if who is Who.BOT else None,
        ),
        public=public,
        body=answers.body(row) if who is Who.BOT else text(row, "value"),
        auto_reply=who is Who.AUTOMATION,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One update of a record: before and after of each audited column, as ServiceNow stores them."""

    sequence: int
    at: Instant
    stamp: str
    user: str
    revision: int | None
    columns: Mapping[str, tuple[str, str]]

    def name(self, column: str) -> str:
        """The name of one change in it, as `change_facts` gives it."""
        after = self.columns[column][1]
        return stamped(self.stamp, column, after) if self.revision is None else f"{self.revision}:{column}"


def read_changes(
    profile: Profile, now: Row, rows: Iterable[Row], authors: AuthorClassifier
) -> tuple[Change, ...]:
    """What the audit changed, oldest first, and of one update the status last. `now` is the record as it stands."""
    made = updates(rows, numbered=raw(now, "sys_mod_count") is not None)
    names = common_names(profile)
    found: list[Change] = []
    for update, passed in zip(made, statuses(profile, now, made), strict=True):
        told: list[tuple[str, str, Value, Value]] = [
            (
                column,
                names[column],
                common_value(profile, names[column], before),
                common_value(profile, names[column], after),
            )
            for column, (before, after) in update.columns.items()
            if column in names
        ]
        told += [(column, "status", *passed) for column in STATUS if column in update.columns][:1]
        for column, name, before, after in told:
            act = Act(
                sequence=update.sequence,
                id=update.name(column),
                at=update.at,
                who=authors.changed(update.user),
                person=authors.person(update.user),
            )
            found.append(Change(act=act, field=name, before=before, after=after))
    return tuple(found)


def updates(rows: Iterable[Row], *, numbered: bool = True) -> list[Update]:
    """The audit's rows by update, oldest first. They go by number only where the record shows its own."""
    made: list[Update] = []
    known = [shown(row, "fieldname", "oldvalue", "newvalue", "user") for row in rows]
    for at, second in groupby(
        sorted(known, key=lambda row: (text(row, "sys_created_on"), number(row, "record_checkpoint") or 0)),
        key=stamp_of,
    ):
        for rank, (_, group) in enumerate(
            groupby(second, key=lambda row: (number(row, "record_checkpoint"), text(row, "user")))
        ):
            listed = list(group)
            made.append(
                Update(
                    sequence=at * WITHIN_A_SECOND + AFTER_MESSAGES + rank,
                    at=at,
                    stamp=text(listed[0], "sys_created_on"),
                    user=text(listed[0], "user"),
                    revision=number(listed[0], "record_checkpoint") if numbered else None,
                    columns=dict(net(listed)),
                )
            )
    return made


def net(rows: Iterable[Row]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Each column's value before and after all of these rows. Without numbers two updates of one second are one, and
    their rows of a column lead from one to the next, in whatever order they come."""
    pairs: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        pairs.setdefault(text(row, "fieldname"), []).append((text(row, "oldvalue"), text(row, "newvalue")))
    for column, steps in pairs.items():
        before, after = [old for old, _ in steps], [new for _, new in steps]
        first = next((old for old in before if old not in after), before[0])
        last = next((new for new in reversed(after) if new not in before), after[-1])
        yield column, (first, last)


def statuses(profile: Profile, now: Row, made: Sequence[Update]) -> list[tuple[Status, Status]]:
    """The common status before and after each update. State and hold reason make it together and are audited
    apart, so both are followed backwards from what they are now."""
    state, reason = text(now, "state"), text(now, "hold_reason")
    labels = {state: label(now, "state")}
    found: list[tuple[Status, Status]] = []
    for update in reversed(made):
        after = status(profile, state, reason, active=None, shown=labels.get(state, ""))
        state = update.columns.get("state", (state, ""))[0]
        reason = update.columns.get("hold_reason", (reason, ""))[0]
        before = status(profile, state, reason, active=None, shown=labels.get(state, ""))
        found.append((before, after))
    return found[::-1]


def common_value(profile: Profile, name: str, stored: str) -> Value:
    """An audit's value, which is text, as the common one."""
    if name == "priority":
        return common(stored)
    if name == "tags":
        return tuple(sorted(read_tags(profile, stored)))
    return stored or None


def count_history(ticket: Ticket) -> Counts:
    """What people did (rule 5), as far as it was loaded. A reply is a public comment by an agent who is not the
    requester."""
    spoken = None
    if Need.MESSAGES in ticket.loaded:
        asked = ticket.requester.id if ticket.requester else None
        said = [each for each in ticket.messages if each.public and each.act.who is Who.AGENT]
        spoken = sum(each.act.person != asked for each in said)
    if Need.CHANGES not in ticket.loaded:
        return Counts(replies=spoken)
    return count_changes(ticket.changes, spoken)
