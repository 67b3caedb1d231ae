"""What each process of a fleet last said of itself, so that any other can show it."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from connector.store import codec
from connector.store.database import put
from connector.store.schema import node as node_table
from policies.model import Instant, Seconds

SILENT: Seconds = 35
"""A process speaks every ten seconds. One that has said nothing for so long is dead, stands still, or does not reach
the database."""

SHOWN_FOR: Seconds = 3600
"""How long one that says nothing more is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """A thread or a job that fails: why, since when, and how often by now."""

    name: str
    why: str
    since: Instant
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A process: what it does, when it last said so, what fails in it, and by how much it sees clocks ahead of its own
    (of each helpdesk by account, and of the database under an empty name). `silent` says that it should have told of
    itself again since."""

    name: str
    roles: tuple[str, ...]
    at: Instant
    failing: tuple[Failing, ...]
    skews: Mapping[str, Seconds]
    silent: bool = False


def keep(connection: Connection, node: Node) -> None:
    """Replace what this process said before."""
    row = {
        "name": node.name, "roles": " ".join(node.roles), "at": node.at,
        "failing": codec.dump(tuple[Failing, ...], node.failing), "skews": codec.dump(dict[str, int], dict(node.skews)),
    }  # fmt: skip
    put(connection, node_table, [row])


def forget(connection: Connection, name: str) -> None:
    """This process ends."""
    connection.execute(delete(node_table).where(node_table.c.name == name))


def forget_silent(connection: Connection, before: Instant) -> None:
    """Processes that have said nothing since are gone."""
    connection.execute(delete(node_table).where(node_table.c.at < before))


def others(connection: Connection, name: str, now: Instant) -> tuple[Node, ...]:
    """All that have spoken within `SHOWN_FOR` but the one of this name, by name."""
    rows = connection.execute(
        select(node_table)
        .where(node_table.c.name != name, node_table.c.at >= now - SHOWN_FOR)
        .order_by(node_table.c.name)
    )
    return tuple(
        Node(
            name=row.name,
            roles=tuple(row.roles.split()),
            at=row.at,
            failing=codec.load(tuple[Failing, ...], row.failing),
            skews=codec.load(dict[str, int], row.skews),
            silent=now - row.at > SILENT,
        )
        for row in rows
    )
