"""One ticket's row by its id, and what it means when there is none.

A deleted ticket shows with a flag, or is refused with a 403, as one that is hidden from us: the list of deleted tickets
tells which. One that is archived is missing, or moved. https://developers.freshdesk.com/api/#view_a_ticket
"""

import re

from adapters.base import Gone, HelpdeskError, TryLater, Unreadable
from adapters.freshdesk.refusals import status
from adapters.freshdesk.session import Answer, Line, wrapped
from policies.model import TicketRef

NUMBER = re.compile(r"[0-9]{1,18}")


def place(ref: TicketRef) -> str:
    """The path of a ticket below `/api/v2`."""
    return f"/tickets/{ref.id}"


def fetch(line: Line, ref: TicketRef, include: str) -> Answer:
    """The ticket's row. Raises Gone if it is deleted, spam or archived, NotAllowed if it is refused to us, and
    Unreadable if the answer is no ticket, or another one."""
    if not NUMBER.fullmatch(ref.id):
        raise Gone(f"{ref} is not a Freshdesk ticket; Freshdesk's ids are whole numbers")
    try:
        answer = line.get(place(ref), {"include": include})
    except HelpdeskError as error:
        raise meant(line, ref, error) from (error.__cause__ or error)
    row = answer.body
    if wrapped(row):
        raise TryLater(f"Freshdesk's answer is not one ticket{wrapped(row)}", 0)
    if not isinstance(row, dict) or str(row.get("id")) != ref.id:
        raise Unreadable(f"Freshdesk's answer for {ref} is not that ticket")
    for flag in ("deleted", "spam", "archived"):
        if row.get(flag) is True:
            raise Gone(f"{ref} is {flag}")
    return answer


def meant(line: Line, ref: TicketRef, error: HelpdeskError) -> HelpdeskError:
    """The error behind a refusal to show one ticket."""
    found = status(error)
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
