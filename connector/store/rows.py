"""What is wrong with one row stays with it: its errors are told from the database's."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    StatementError,
)

STATEMENT_ERRORS = (IntegrityError, ProgrammingError, DataError, NotSupportedError)
LIMIT = "54"
"""PostgreSQL's class of errors about something too long for it, an indexed text above all."""

LONGEST_ID = 200

UNFORESEEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What a row of a shape that nobody foresaw may raise while it is read, judged or stored."""


class BrokenRow(Exception):
    """This row cannot be kept, by no database and at no other time; the text says why."""


def is_usable_id(ticket: str) -> bool:
    """Whether this can be a ticket's id: logs, addresses and commands say `account/id`."""
    return 0 < len(ticket) <= LONGEST_ID and "/" not in ticket


def is_of_a_row(error: DBAPIError) -> bool:
    """Whether the database refused what it was given, rather than being in trouble itself."""
    return isinstance(error, STATEMENT_ERRORS) or str(getattr(error.orig, "sqlstate", "")).startswith(LIMIT)


@contextmanager
def of_one_row() -> Iterator[None]:
    """Within the block one row, or one page of them, is judged and stored: what is wrong with it raises BrokenRow."""
    try:
        yield
    except UNFORESEEN as error:
        raise BrokenRow(f"{type(error).__name__}: {error}"[:500]) from error
    except StatementError as error:
        if isinstance(error, DBAPIError) and not is_of_a_row(error):
            raise
        raise BrokenRow(str(error.orig).strip().partition("\n")[0][:500]) from error
