"""Priority as ServiceNow has it: a number that a lookup on impact and urgency gives, never written by us.

A direct write is overruled whenever the lookup runs. So impact and urgency are chosen to reach the priority
wanted, with the least change, urgency first. Vendor sheet 2.3,
https://www.servicenow.com/docs/r/it-service-management/def-prio-lookup-rules.html
"""

from collections.abc import Iterable, Mapping

from adapters.servicenow.rows import OddValue, Row, text
from policies.model import Priority

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
