"""One ticket's row by its id, and what it means when there is none.

A deleted ticket shows with a flag, or is refused with a 403; one that is archived is missing, or moved.
https://developers.freshdesk.com/api/#view_a_ticket
"""

import re

from adapters.base import AccessLost, Gone, HelpdeskError
from adapters.freshdesk.refusals import code, status
from adapters.freshdesk.session import Answer, Line
from policies.model import TicketRef

NUMBER = re.compile(r"[0-9]{1,18}")
OURS = frozenset({"", "access_denied"})
"""The words of a 403 that may be about this one ticket; all others are about the account."""


def place(ref: TicketRef) -> str:
    """The path of a ticket below `/api/v2`."""
    return f"/tickets/{ref.id}"


def fetch(line: Line, ref: TicketRef, include: str) -> Answer:
    """The ticket's row. Raises Gone if it is deleted, spam, archived or hidden from us."""
    if not NUMBER.fullmatch(ref.id):
        raise Gone(f"{ref} is not a Freshdesk ticket; Freshdesk's ids are whole numbers")
    try:
        answer = line.get(place(ref), {"include": include})
    except HelpdeskError as error:
        raise meant(line, ref, error) from (error.__cause__ or error)
    row = answer.row()
    for flag in ("deleted", "spam", "archived"):
        if row.get(flag) is True:
            raise Gone(f"{ref} is {flag}")
    return answer


def meant(line: Line, ref: TicketRef, error: HelpdeskError) -> HelpdeskError:
    """The error behind a refusal to show one ticket. A key that is good elsewhere has not lost its access."""
    found = status(error)
    if isinstance(error, AccessLost) and found == 403 and code(error) in OURS:
        line.get("/agents/me")
        return Gone(f"{ref} is deleted, or hidden from the agent of our key")
    if found is not None and 300 <= found < 400 and is_archived(line, ref):
        return Gone(f"{ref} is archived")
    return error


def is_archived(line: Line, ref: TicketRef) -> bool:
    """Whether the archive has the ticket; False also where the plan has no archive."""
    try:
        line.get(f"/tickets/archived/{ref.id}")
    except HelpdeskError:
        return False
    return True
