"""How one account is set up: which table, which columns, which of ServiceNow's ways."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from adapters.base import Account
from adapters.servicenow.priority import Matrix
from adapters.servicenow.query import COLUMN
from adapters.servicenow.tables import Table, table
from policies.model import Seconds, Status

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
    check_url(account.url, place)
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


def check_url(url: str, place: str) -> None:
    """An instance is named by scheme and host alone."""
    parts = urlsplit(url)
    wrong = parts.path.strip("/") or parts.query or "@" in parts.netloc or not parts.hostname
    if parts.scheme not in ("http", "https") or wrong:
        raise ValueError(f"{place}: url {url!r} should be https://YOURS.service-now.com")


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
