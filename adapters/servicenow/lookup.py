"""One record, and whether it is really gone when ServiceNow says so."""

from adapters.base import Gone, TryLater
from adapters.servicenow.profile import Profile
from adapters.servicenow.query import SYS_ID, equals
from adapters.servicenow.refusals import UNSAID
from adapters.servicenow.session import Answer, Line, sys_id
from adapters.servicenow.ticket import columns
from policies.model import TicketRef

FOLLOWERS = "work_notes_list"


def fetch(line: Line, profile: Profile, ref: TicketRef) -> Answer:
    """The record with all that is read of one. Raises Gone.

    ServiceNow answers 404 for what is deleted and for what it hides from us; the list is asked as well, so that
    a failure of the moment does not close the work on a ticket, and lost rights are told as such.
    """
    if not SYS_ID.fullmatch(ref.id):
        raise Gone(f"{ref} is not a ServiceNow record; its id is a sys_id")
    try:
        answer = line.record(profile.name, ref.id, (*columns(profile), FOLLOWERS))
        answer.row()
    except Gone:
        rows = line.listed(profile.name, equals("sys_id", ref.id), ("sys_id",), limit=1).rows()
        if any(sys_id(row) == ref.id for row in rows):
            raise TryLater(f"ServiceNow lists {ref} and does not show it", UNSAID) from None
        raise
    return answer
