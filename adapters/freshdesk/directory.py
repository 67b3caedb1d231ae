"""The directory: agents, groups, who is in which. Freshdesk gives the list of agents to administrators only.

https://developers.freshdesk.com/api/#list_all_agents and #view_a_group, which alone tells the members. An entry without
an id is left out: nobody could be assigned by it.
"""

from collections.abc import Iterable
from typing import Any

from adapters.base import AccessLost, Account, HelpdeskError, NotAllowed, TryLater
from adapters.freshdesk.form import Form, form
from adapters.freshdesk.people import ident
from adapters.freshdesk.refusals import status
from adapters.freshdesk.session import Line, Row
from policies.model import Agent, Directory, Group, Person

NO_AUTOMATIC = (None, 0, False)
"""What `auto_ticket_assign` says where Freshdesk assigns nothing by itself. It was a yes or no once."""

UNTOLD = frozenset({403, 404})


def me(line: Line) -> Row:
    """The agent that our key stands for."""
    return line.get("/agents/me").row()


def read_form(line: Line) -> Form:
    """The ticket form; a form without any names where we may not see it. One more request asks for the status field as
    administrators see it, which may tell what stops the SLA clock; nothing depends on its answer."""
    try:
        entries = line.get("/ticket_fields").entries()
    except NotAllowed:
        return Form()
    plain = form(entries)
    if plain.timers or not plain.status_field.isdecimal():
        return plain
    try:
        return form(entries, line.get(f"/admin/ticket_fields/{plain.status_field}").body)
    except AccessLost:
        raise
    except HelpdeskError:
        return plain


def read(account: Account, line: Line) -> Directory:
    """All groups and agents. Nobody's load is told; who is available is, where Freshdesk assigns by itself."""
    listed = rows(line, "/groups")
    groups = [whole for row in listed if (whole := with_members(line, row))]
    people = rows(line, "/agents")
    return Directory(
        account=account.name,
        groups=tuple(sorted((group(row) for row in groups), key=lambda each: each.name)),
        agents=tuple(agent(row, groups) for row in people),
    )


def rows(line: Line, path: str) -> list[Row]:
    """The entries of a list that are objects with an id. A list without any such entry is not an empty one:
    TryLater."""
    entries = line.every(path)
    found: list[Row] = [
        each for each in entries if isinstance(each, dict) and ident(each.get("id")) is not None
    ]
    if entries and not found:
        raise TryLater(f"no entry of Freshdesk's list {path} can be read", 0)
    return found


def with_members(line: Line, row: Row) -> Row | None:
    """The group with its `agent_ids`, which the list may leave out; without them where they are refused to us; None
    if it was deleted meanwhile."""
    if isinstance(row.get("agent_ids"), list):
        return row
    try:
        whole = line.get(f"/groups/{row['id']}").row()
    except NotAllowed:
        return row
    except HelpdeskError as error:
        if status(error) != 404:
            raise
        return None
    return whole if ident(whole["id"]) == ident(row["id"]) else row


def group(row: Row) -> Group:
    """A row as a group; one without a name is called by its id."""
    name = row.get("name")
    return Group(id=str(row["id"]), name=name if isinstance(name, str) and name else str(row["id"]))


def agent(row: Row, groups: Iterable[Row]) -> Agent:
    """A row as an agent. One who never signed in, or is a collaborator, can be assigned as well: `contact.active` and
    `type` do not tell, and Freshdesk refuses whom it does not take. Without a contact only the id is known."""
    key = str(row["id"])
    told = members(row.get("group_ids"))
    own = [each for each in groups if key in members(each.get("agent_ids"))]
    own += [each for each in groups if str(each["id"]) in told and each not in own]
    found = row.get("contact")
    contact: Row = found if isinstance(found, dict) else {}
    name, address = contact.get("name"), contact.get("email")
    assigned = any(each.get("auto_ticket_assign") not in NO_AUTOMATIC for each in own)
    return Agent(
        person=Person(
            id=key,
            name=next((each for each in (name, address) if isinstance(each, str) and each), key),
            address=address if isinstance(address, str) and address else None,
        ),
        groups=frozenset(str(each["id"]) for each in own),
        active=row.get("deactivated") is not True,
        available=row["available"] if assigned and isinstance(row.get("available"), bool) else None,
    )


def members(ids: Any) -> frozenset[str]:
    """The ids of a list; none where there is no list."""
    return frozenset(key for each in ids if (key := ident(each))) if isinstance(ids, list) else frozenset()


def one_agent(line: Line, key: str, known: Directory) -> Agent | None:
    """The agent of that id, in those of the known groups that the agent names; None if there is none."""
    row = one(line, f"/agents/{key}", key)
    return agent(row, [{"id": each.id} for each in known.groups]) if row else None


def one_group(line: Line, key: str) -> Group | None:
    """The group of that id, None if there is none."""
    row = one(line, f"/groups/{key}", key)
    return group(row) if row else None


def one(line: Line, path: str, key: str) -> Row | None:
    """The one thing at this path, None if there is none."""
    try:
        row = line.get(path).row()
    except HelpdeskError as error:
        if status(error) not in UNTOLD:
            raise
        return None
    return row if ident(row["id"]) == key else None
