"""The directory: agents, groups, who is in which. Freshdesk gives the list of agents to administrators only.

https://developers.freshdesk.com/api/#list_all_agents and #view_a_group, which alone tells the members.
"""

from collections.abc import Iterable

from adapters.base import AccessLost, Account, HelpdeskError
from adapters.freshdesk.form import Form, form
from adapters.freshdesk.people import ident
from adapters.freshdesk.refusals import status
from adapters.freshdesk.session import Line, Row, legible
from policies.model import Agent, Directory, Group, Person

NO_AUTOMATIC = (None, 0, False)
"""What `auto_ticket_assign` says where Freshdesk assigns nothing by itself. It was a yes or no once."""


def me(line: Line) -> Row:
    """The agent that our key stands for."""
    return line.get("/agents/me").row()


def read_form(line: Line) -> Form:
    """The ticket form; a form without any names where we may not see it."""
    try:
        with legible():
            return form(line.get("/ticket_fields").rows())
    except AccessLost as error:
        if status(error) != 403:
            raise
        return Form()


def read(account: Account, line: Line) -> Directory:
    """All groups and agents. Nobody's load is told; who is available is, where Freshdesk assigns by itself."""
    groups = [whole for row in line.every("/groups") if (whole := with_members(line, row))]
    people = line.every("/agents")
    with legible():
        kept = [Group(id=str(row["id"]), name=str(row.get("name") or row["id"])) for row in groups]
        return Directory(
            account=account.name,
            groups=tuple(sorted(kept, key=lambda group: group.name)),
            agents=tuple(agent(row, groups) for row in people),
        )


def with_members(line: Line, row: Row) -> Row | None:
    """The group with its `agent_ids`, which the list may leave out; None if it was deleted meanwhile."""
    if isinstance(row.get("agent_ids"), list):
        return row
    try:
        return line.get(f"/groups/{row.get('id')}").row()
    except HelpdeskError as error:
        if status(error) != 404:
            raise
        return None


def agent(row: Row, groups: Iterable[Row]) -> Agent:
    """A row as an agent. Collaborators can have no tickets, so for assignment they are not active."""
    key = str(row["id"])
    told = {str(each) for each in row.get("group_ids") or ()}
    own = [group for group in groups if key in {str(each) for each in group.get("agent_ids") or ()}]
    own += [group for group in groups if str(group["id"]) in told and group not in own]
    contact = row["contact"]
    usable = contact.get("active") is not False and row.get("deactivated") is not True
    assigned = any(group.get("auto_ticket_assign") not in NO_AUTOMATIC for group in own)
    return Agent(
        person=Person(
            id=key,
            name=str(contact.get("name") or contact.get("email") or key),
            address=ident(contact.get("email")),
        ),
        groups=frozenset(str(group["id"]) for group in own),
        active=usable and row.get("type") != "collaborator",
        available=row.get("available") is True if assigned and "available" in row else None,
    )
