"""Webhooks that we made at a helpdesk, each kept before it is made: what a killed call left there is found again."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from connector.store.database import insert
from connector.store.schema import hook
from policies.model import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeHook:
    """One webhook at an account's helpdesk that posts to `address`. `name` is ours alone there. Without `vendor_id`
    nobody knows yet whether it was made."""

    account: str
    name: str
    address: str
    vendor_id: str | None
    at: Instant


def intend(connection: Connection, account: str, name: str, address: str, now: Instant) -> None:
    """Keep that a webhook of this name is about to be made."""
    row = {"account": account, "name": name, "address": address, "vendor_id": None, "at": now}
    connection.execute(insert(connection, hook).values(row))


def made(connection: Connection, account: str, name: str, vendor_id: str) -> None:
    """Keep under which id the helpdesk has it."""
    mine = (hook.c.account == account, hook.c.name == name)
    connection.execute(update(hook).where(*mine).values(vendor_id=vendor_id))


def forget(connection: Connection, account: str, name: str) -> None:
    """It is no longer there."""
    connection.execute(delete(hook).where(hook.c.account == account, hook.c.name == name))


def every(connection: Connection, account: str) -> tuple[MadeHook, ...]:
    """All of the account, the oldest first."""
    asked = select(hook).where(hook.c.account == account).order_by(hook.c.at, hook.c.name)
    return tuple(MadeHook(**row) for row in connection.execute(asked).mappings())
