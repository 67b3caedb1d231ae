"""What the tables that extend `task` have in common and what not. The same number of a state means another
thing in another table. Vendor sheet 2.1 and 2.2,
https://www.servicenow.com/docs/r/it-service-management/c_IncidentManagementStateModel.html
"""

from collections.abc import Mapping
from dataclasses import dataclass

from policies.model import Status


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
        "4": Status.ON_HOLD,  # 4 and 5 waited for something before there were reasons to hold
        "5": Status.ON_HOLD,
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
