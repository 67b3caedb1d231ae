"""Receipts: which of a ticket's facts at the vendor are ours, and for which episodes."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from connector.store import codec
from connector.store.dialect import put
from connector.store.schema import receipt
from policies.model import TicketRef


def keep_receipt(
    connection: Connection, ref: TicketRef, write: str, facts: Iterable[str], episodes: frozenset[str]
) -> None:
    """Remember that these facts (ids as in `Act.id`) are the write of that key, made for these episodes."""
    common = {
        "account": ref.account,
        "ticket": ref.id,
        "write": write,
        "episodes": codec.dump_names(episodes),
    }
    put(connection, receipt, [common | {"fact": fact} for fact in facts])


def episodes_by_fact(connection: Connection, ref: TicketRef) -> dict[str, frozenset[str]]:
    """The episodes behind each of the ticket's facts that are ours."""
    rows = connection.execute(
        select(receipt.c.fact, receipt.c.episodes).where(
            receipt.c.account == ref.account, receipt.c.ticket == ref.id
        )
    )
    return {row.fact: codec.load_names(row.episodes) for row in rows}


def writes_by_fact(connection: Connection, ref: TicketRef) -> dict[str, str]:
    """The key of the write behind each of the ticket's facts that are ours."""
    rows = connection.execute(
        select(receipt.c.fact, receipt.c.write).where(
            receipt.c.account == ref.account, receipt.c.ticket == ref.id
        )
    )
    return {row.fact: row.write for row in rows}
