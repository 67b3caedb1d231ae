"""How one account is set up: which table and columns, how a priority is reached, and queries that a value cannot
break. The same number of a state means another thing in another table. Vendor sheet 2.1 and 2.2,
https://www.servicenow.com/docs/r/it-service-management/c_IncidentManagementStateModel.html

A direct write is overruled whenever the lookup runs. So impact and urgency are chosen to reach the priority
wanted, with the least change, urgency first. Vendor sheet 2.3,
https://www.servicenow.com/docs/r/it-service-management/def-prio-lookup-rules.html

`^` parts conditions and is doubled inside a value; a value that begins with `javascript:` would be run on the
instance; `^OR` binds only to the condition next to it, and `^NQ` is never used. Vendor sheet 1.4 and 1.7,
https://www.servicenow.com/docs/r/platform-user-interface/c_EncodedQueryStrings.html
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.base import Account
from adapters.http import check_url
from adapters.servicenow.answers import OddValue, Row, text
from policies.model import Priority, Seconds, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: its states, whose wish a record is, and whether its priority follows impact and urgency.

    `requesters` are the columns to look for a requester in, in this order, none of which is `opened_by`: that is
    who typed it. `waiting` is the `hold_reason` that means that the requester is asked something.
    """

    states: Mapping[str, Status]
    requesters: tuple[str, ...]
    organization: str = "company"
    derived: bool = False
    waiting: str | None = None


INCIDENT = Table(
    states={
        "1": Status.NEW,
        "2": Status.OPEN,
        "3": Status.ON_HOLD,
        "4": Status.PENDING,  # Awaiting User Info, before there were reasons to hold; a tenth of all events in the
        "5": Status.ON_HOLD,  # log that UCI publishes as data set 498 stand in it. 5 is Awaiting Evidence
        "6": Status.SOLVED,
        "7": Status.CLOSED,
        "8": Status.CLOSED,
    },
    requesters=("caller_id",),
    derived=True,
    waiting="1",
)
CASE = Table(
    states={
        "1": Status.NEW,
        "10": Status.OPEN,
        "18": Status.PENDING,
        "6": Status.SOLVED,
        "3": Status.CLOSED,
        "7": Status.CLOSED,
    },
    requesters=("contact", "consumer"),
    organization="account",
)
STATES_OF_TASK = {
    "-5": Status.PENDING,
    "1": Status.OPEN,
    "2": Status.OPEN,
    "3": Status.CLOSED,
    "4": Status.CLOSED,
    "7": Status.CLOSED,
}
TASK = Table(states=STATES_OF_TASK, requesters=())
REQUEST_ITEM = Table(states=STATES_OF_TASK, requesters=("requested_for", "request.requested_for"))
TABLES = {
    "incident": INCIDENT,
    "sn_customerservice_case": CASE,
    "sc_task": Table(states=STATES_OF_TASK, requesters=("request_item.requested_for",)),
    "sc_req_item": REQUEST_ITEM,
    "sc_request": Table(states={}, requesters=("requested_for",)),
    "sn_hr_core_case": Table(states={}, requesters=("opened_for", "subject_person")),
    "sn_si_incident": Table(states={}, requesters=("affected_user",)),
    "problem": Table(states={}, requesters=()),
    "change_request": Table(states={}, requesters=("requested_by",)),
}
"""A table without states here numbers them in a way of its own: open while active, unless the account says more."""


def table(name: str) -> Table:
    """The table of that name, or the one whose name it begins with, as `sn_hr_core_case_payroll` does; one that is
    not known behaves as a plain task."""
    below = (known for known in sorted(TABLES, key=len, reverse=True) if name.startswith(f"{known}_"))
    return TABLES.get(name) or TABLES.get(next(below, ""), TASK)


Pair = tuple[int, int]
Matrix = Mapping[Pair, int]
"""The priority of each (impact, urgency)."""

COMMON = {
    "1": Priority.URGENT,
    "2": Priority.HIGH,
    "3": Priority.NORMAL,
    "4": Priority.LOW,
    "5": Priority.LOW,  # Planning
}
NUMBERS = {Priority.URGENT: 1, Priority.HIGH: 2, Priority.NORMAL: 3, Priority.LOW: 4}
LOOKUP = "dl_u_priority"
LOWEST = 3
GROUNDS = ("impact", "urgency")

DEFAULT: Matrix = {(impact, urgency): impact + urgency - 1 for impact in (1, 2, 3) for urgency in (1, 2, 3)}


def common(stored: str) -> Priority | None:
    """The common priority; None for none and for a number of the customer's own."""
    return COMMON.get(stored)


def reaches(stored: str, wanted: int) -> bool:
    """Whether a stored priority is at least as urgent as this number."""
    return stored.isdecimal() and int(stored) <= wanted


def read(rows: Iterable[Row]) -> Matrix:
    """The matrix in the rows of the lookup; the default where none of them can be used."""
    found: dict[Pair, int] = {}
    for row in rows:
        try:
            parts = [text(row, column) for column in (*GROUNDS, "priority")]
        except OddValue:
            continue
        if all(part.isdecimal() for part in parts):
            impact, urgency, number = map(int, parts)
            found.setdefault((impact, urgency), number)
    return found or DEFAULT


def pair(matrix: Matrix, impact: str, urgency: str, wanted: int) -> Pair | None:
    """The impact and urgency that give at least the wanted priority; None if no pair does.

    The impact stays if some urgency reaches it. Exactly what is wanted goes before more than that, then the
    least change, then the one that spares the impact. An empty one counts as the lowest.
    """
    old = (grade(impact), grade(urgency))
    able = [each for each, number in matrix.items() if number <= wanted]
    exact = [each for each in able if matrix[each] == wanted]
    kept = [each for each in exact if each[0] == old[0]] or [each for each in able if each[0] == old[0]]
    candidates = kept or exact or able
    return min(candidates, key=lambda each: distance(old, each), default=None)


def grade(stored: str) -> int:
    """An impact or urgency as a number."""
    return int(stored) if stored.isdecimal() else LOWEST


def distance(old: Pair, new: Pair) -> tuple[int, int, Pair]:
    """Sort key: the whole change, then that of the impact, then the numbers."""
    impact, urgency = abs(old[0] - new[0]), abs(old[1] - new[1])
    return impact + urgency, impact, new


MOST_VALUES = 50
"""How many values one query names, so that its URL stays short enough for every proxy."""

LONGEST_VALUE = 255
SCRIPT = re.compile(r"\s*javascript:", re.IGNORECASE)
UNFIT = re.compile(r"[\x00-\x1f\x7f]")
SYS_ID = re.compile(r"[0-9A-Za-z_-]{1,32}")
COLUMN = re.compile(r"[a-z][a-z0-9_]{0,79}")
WHO_AM_I = "user_name=javascript:gs.getUserName()"
"""The one script that we send ourselves: it names the user behind our credentials."""


def is_safe(value: str) -> bool:
    """Whether a value can stand in a query at all. An empty one would ask for something else, and a very long one
    makes no URL."""
    return 0 < len(value) <= LONGEST_VALUE and not SCRIPT.match(value) and not UNFIT.search(value)


LOOKALIKE = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})
"""Letters that a database without accents may take for others, and that Unicode does not take apart."""


def folded(value: str) -> str:
    """The value as a database compares it that minds neither case nor accents."""
    apart = unicodedata.normalize("NFKD", value.casefold())
    return "".join(each for each in apart if not unicodedata.combining(each)).translate(LOOKALIKE).strip()


def term(value: str) -> str:
    """A value as it stands in a query; ValueError for one that cannot."""
    if not is_safe(value):
        raise ValueError(f"{value[:40]!r} cannot stand in a query")
    return value.replace("^", "^^")


def equals(column: str, value: str) -> str:
    """The column holds exactly this, as far as the database's collation tells."""
    return f"{column}={term(value)}"


def any_of(column: str, values: Iterable[str]) -> str:
    """The column holds one of these. `IN` knows no escape for a comma, so this is a chain of `^OR`."""
    return "^OR".join(equals(column, value) for value in values)


def every_of(*conditions: str) -> str:
    """All of these hold; empty ones are left out. Each may be a chain of `^OR` at most."""
    return "^".join(condition for condition in conditions if condition)


def ordered(condition: str, *columns: str) -> str:
    """The condition, with its rows in the order of these columns, ascending."""
    return every_of(condition, *(f"ORDERBY{column}" for column in columns))


def behind(stamp: str, sys_id: str) -> str:
    """All rows after this one in the order of `sys_updated_on` and `sys_id`; without an id, from the stamp on.

    Reads as: not older than T, and (newer than T or with a greater id).
    """
    since = f"sys_updated_on>={term(stamp)}"
    if not sys_id:
        return since
    return f"{since}^sys_updated_on>{term(stamp)}^ORsys_id>{term(sys_id)}"


def batches(values: Iterable[str]) -> Iterator[list[str]]:
    """The different values that can stand in a query, as many at a time as one may name."""
    fit = [value for value in dict.fromkeys(values) if is_safe(value)]
    for start in range(0, len(fit), MOST_VALUES):
        yield fit[start : start + MOST_VALUES]


LABELS = "label_entry"
SHARED = "correlation_display"
"""The column that integrations share by custom: we write it only where it is empty or ours."""

KNOWN = frozenset(
    {
        "table", "tags", "priority", "matrix", "states", "requester", "overlap", "timeout", "allow_unstamped",
    }
)  # fmt: skip
GOVERNED = frozenset(
    {
        "state", "incident_state", "hold_reason", "priority", "impact", "urgency", "assignment_group",
        "assigned_to", "comments", "work_notes", "comments_and_work_notes", "watch_list", "work_notes_list",
        "number", "active",
    }
)  # fmt: skip
"""Columns that have actions or rules of their own; no policy may set them as a field of its own."""

PAIR = re.compile(r"(\d+)-(\d+)")
WALK = re.compile(r"[a-z][a-z0-9_]{0,79}(\.[a-z][a-z0-9_]{0,79})?")
OVERLAP: Seconds = 300
"""Long transactions and import sets show a row up to five minutes after its stamp. Vendor sheet, "Learned since"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """An account's settings, checked. `fields` maps the name after `custom.` to a column, `states` is complete
    for the table as the vendor ships it, `matrix` is None where the instance's own is to be read, `requesters` are
    the columns in which whoever wishes it is looked for, `timeout` is None where nothing is said."""

    account: Account
    name: str
    table: Table
    tags: str
    derived: bool
    overlap: Seconds
    requesters: tuple[str, ...] = ()
    timeout: Seconds | None = None
    unstamped: bool = False
    matrix: Matrix | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    states: Mapping[str, Status] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The instance's address without a slash at its end."""
        return self.account.url.rstrip("/")


def profile(account: Account) -> Profile:
    """Read the account's settings; ValueError names one that cannot work."""
    place = f"account {account.name}"
    check_url(account, "https://YOURS.service-now.com")
    said = account.settings
    unknown = sorted(set(said) - KNOWN)
    if unknown:
        raise ValueError(
            f"{place}: unknown setting {', '.join(unknown)}; known are {', '.join(sorted(KNOWN))}"
        )
    name = column(said.get("table", "incident"), f"{place}: table")
    if name == "task":
        raise ValueError(f'{place}: table "task" has all tables below it; name one, such as "incident"')
    kind = table(name)
    return Profile(
        account=account,
        name=name,
        table=kind,
        tags=tags_column(said.get("tags", SHARED), place),
        derived=derived(said.get("priority"), kind, place),
        overlap=seconds(said.get("overlap", OVERLAP), f"{place}: overlap", 0, 3600),
        requesters=requesters(said.get("requester"), kind, place),
        timeout=seconds(said["timeout"], f"{place}: timeout", 5, 600) if "timeout" in said else None,
        unstamped=yes_or_no(said.get("allow_unstamped", False), f"{place}: allow_unstamped"),
        matrix=matrix(said.get("matrix"), place),
        fields=mapped(account.fields, place),
        states={**kind.states, **states(said.get("states", {}), place)},
    )


def column(said: Any, place: str) -> str:
    """A table's or column's name, which can stand in a query and a path."""
    if not isinstance(said, str) or not COLUMN.fullmatch(said):
        raise ValueError(f"{place}: {said!r} is not the name of a table or column, such as u_escalation_tags")
    return said


def tags_column(said: Any, place: str) -> str:
    """Where tags are kept: a column, or ServiceNow's own tags."""
    name = column(said, f"{place}: tags")
    if name in GOVERNED or name.startswith("sys_"):
        raise ValueError(f"{place}: tags cannot be kept in {name}; use a text column of your own")
    return name


def mapped(fields: Mapping[str, str], place: str) -> Mapping[str, str]:
    """Columns by the name that policies use after `custom.`."""
    found = {name.removeprefix("custom."): column(key, f"{place}: fields") for name, key in fields.items()}
    governed = sorted(key for key in found.values() if key in GOVERNED or key.startswith("sys_"))
    if governed:
        raise ValueError(
            f"{place}: fields cannot map {', '.join(governed)}; ServiceNow or an action governs it"
        )
    return found


def derived(said: Any, kind: Table, place: str) -> bool:
    """Whether the priority follows impact and urgency."""
    if said not in (None, "derived", "direct"):
        raise ValueError(f'{place}: priority {said!r} is unknown; use "derived" or "direct"')
    return kind.derived if said is None else said == "derived"


def seconds(said: Any, place: str, least: int, most: int) -> Seconds:
    """A span in seconds."""
    if not isinstance(said, int) or isinstance(said, bool) or not least <= said <= most:
        raise ValueError(f"{place} {said!r} should be seconds, {least} to {most}")
    return said


def yes_or_no(said: Any, place: str) -> bool:
    """A switch."""
    if said is not True and said is not False:
        raise ValueError(f"{place} {said!r} should be true or false")
    return said is True


def requesters(said: Any, kind: Table, place: str) -> tuple[str, ...]:
    """The columns in which whoever wishes a record is looked for, one after the other; an empty list is nobody."""
    if said is None:
        return kind.requesters
    named = [said] if isinstance(said, str) else said
    if not isinstance(named, list | tuple) or not all(
        isinstance(one, str) and WALK.fullmatch(one) for one in named
    ):
        raise ValueError(
            f'{place}: requester should name columns, as ["requested_for", "request.requested_for"], not {said!r}'
        )
    return tuple(named)


def states(said: Any, place: str) -> Mapping[str, Status]:
    """States of the customer's own, by their number."""
    known = {status.value: status for status in Status}
    if not isinstance(said, Mapping) or any(value not in known for value in said.values()):
        raise ValueError(
            f'{place}: states should map numbers to {", ".join(known)}, as {{ "-2" = "pending" }}'
        )
    return {str(number): known[value] for number, value in said.items()}


def matrix(said: Any, place: str) -> Matrix | None:
    """The priority of each impact and urgency, written `{ "1-1" = 1, "1-2" = 2, ... }`."""
    if said is None:
        return None
    pairs = {PAIR.fullmatch(str(key)): number for key, number in dict(said).items()}
    if not pairs or any(found is None or type(number) is not int for found, number in pairs.items()):
        raise ValueError(f'{place}: matrix should map IMPACT-URGENCY to a priority, as {{ "1-1" = 1 }}')
    return {(int(found[1]), int(found[2])): number for found, number in pairs.items() if found}
