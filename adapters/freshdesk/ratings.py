"""How the customer rated a ticket, from the answers to Freshdesk's surveys.

Two scales are met: -103 to 103, 100 in the middle, and on older surveys 1 (happy), 2 and 3 (unhappy).
https://developers.freshdesk.com/api/#satisfaction-ratings
"""

from collections.abc import Iterable

from adapters.base import AccessLost, HelpdeskError
from adapters.freshdesk.refusals import code, status
from adapters.freshdesk.session import Line, Row
from adapters.freshdesk.ticket import instant, number
from policies.model import Satisfaction

GOOD = frozenset({1, 101, 102, 103})
BAD = frozenset({3, -101, -102, -103})


def read(line: Line, ticket: str) -> tuple[Satisfaction | None, bool]:
    """The newest rating of the ticket at this path, and whether that is known. Plans without surveys have none;
    whatever else keeps ratings from us, the ticket does not wait for them."""
    try:
        entries = line.every(f"{ticket}/satisfaction_ratings")
    except AccessLost:
        raise
    except HelpdeskError as error:
        return None, status(error) == 404 or code(error) == "require_feature"
    rows = [
        each for each in entries if isinstance(each, dict) and instant(each.get("created_at")) is not None
    ]
    return newest(rows), len(rows) == len(entries)


def newest(rows: Iterable[Row]) -> Satisfaction | None:
    """What the last answer says; None if nobody answered, or neither good nor bad."""
    answers = sorted(rows, key=lambda row: instant(row.get("created_at")) or 0)
    given = answers[-1].get("ratings") if answers else None
    value = number(given.get("default_question")) if isinstance(given, dict) else None
    if value in GOOD:
        return Satisfaction.GOOD
    return Satisfaction.BAD if value in BAD else None
