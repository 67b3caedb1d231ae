"""Links in messages with which people act: what each is bound to, by the digest of its word."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, delete, select, update

from connector.store.database import insert
from connector.store.schema import link as link_table
from policies.model import Instant, Seconds, TicketRef

KEPT: Seconds = 7 * 86400
"""How long it is known of a link that is over why it is not good any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One order that its link gives, once and until then. `channel` is where it was sent, empty for a note; `person` in
    whose name it orders, empty where whoever opens it has to log in."""

    verb: str
    ref: TicketRef
    policy: str
    episode: str
    level: str
    channel: str
    person: str
    until: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLink:
    """A link, and when it was used."""

    link: Link
    used: Instant | None


def keep(connection: Connection, made: Mapping[str, Link]) -> None:
    """Keep these by the digests of their words; one that is known stays as it is."""
    for digest, link in made.items():
        row = {
            "digest": digest,
            "verb": link.verb,
            "account": link.ref.account,
            "ticket": link.ref.id,
            "policy": link.policy,
            "episode": link.episode,
            "level": link.level,
            "channel": link.channel,
            "person": link.person,
            "until": link.until,
        }
        connection.execute(insert(connection, link_table).values(row).on_conflict_do_nothing())


def find(connection: Connection, digest: str) -> KeptLink | None:
    """What the word of this digest is good for."""
    row = connection.execute(select(link_table).where(link_table.c.digest == digest)).mappings().first()
    return None if row is None else _kept(row)


def find_all(connection: Connection, digests: Iterable[str]) -> Mapping[str, Link]:
    """What these are bound to; without those that nobody knows."""
    rows = connection.execute(select(link_table).where(link_table.c.digest.in_(tuple(digests)))).mappings()
    return {row["digest"]: _kept(row).link for row in rows}


def use(connection: Connection, digest: str, now: Instant) -> bool:
    """Use a link; False if it was used before."""
    unused = (link_table.c.digest == digest) & link_table.c.used.is_(None)
    return connection.execute(update(link_table).where(unused).values(used=now)).rowcount == 1


def forget(connection: Connection, now: Instant) -> None:
    """Forget links that have been over for long."""
    connection.execute(delete(link_table).where(link_table.c.until < now - KEPT))


def _kept(row: RowMapping) -> KeptLink:
    own = {name: row[name] for name in ("verb", "policy", "episode", "level", "channel", "person", "until")}
    return KeptLink(link=Link(ref=TicketRef(row["account"], row["ticket"]), **own), used=row["used"])
