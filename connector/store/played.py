"""What came of each policy's tests when they were played last, and the result that was accepted last."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, select, update

from connector.store.database import advisory_lock, insert
from connector.store.schema import played as table
from policies.model import Instant

Kind = Literal["test", "policy"]
"""A test that somebody wrote, or the life that was made for a policy without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One of them as it was played, by the name of the test or of the policy. `found` is what fired, as the lines of a
    test say it: nothing for a policy that needs a test. `why` a test failed is empty where it passed. `written` is the
    test as it was written, `place` the file and line of it."""

    kind: Kind
    name: str
    policies: tuple[str, ...]
    place: str = ""
    written: str = ""
    found: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One of them as it is kept: played `at`; accepted by whom, empty for what was played first. `accepted` is None
    where nothing was: the test has failed ever since."""

    played: Played
    at: Instant
    accepted: tuple[str, ...] | None
    accepted_at: Instant | None
    accepted_by: str

    @property
    def is_other(self) -> bool:
        """Whether what comes of it is not what was accepted. A test that fails is told of as that."""
        return not self.played.why and self.accepted is not None and self.accepted != self.played.found

    @property
    def difference(self) -> str:
        """What fires otherwise, in words."""
        before, now = self.accepted or (), self.played.found
        gone = [line for line in before if line not in now]
        new = [line for line in now if line not in before]
        return f"accepted: {_some(gone)}; now: {_some(new)}"


def _some(lines: list[str]) -> str:
    shown = [" ".join(line.split()) for line in lines[:3]]
    return ", ".join(shown) + (f" and {len(lines) - 3} more" if len(lines) > 3 else "") or "nothing"


def every(connection: Connection) -> tuple[Kept, ...]:
    """All of them, by kind and name."""
    return tuple(map(_kept, connection.execute(select(table).order_by(table.c.kind, table.c.name))))


def keep(connection: Connection, results: Iterable[Played], now: Instant) -> None:
    """Keep what came of all of them. The first result is accepted, and so is that of a test that was rewritten and
    passes: whoever wrote it said what must come of it."""
    advisory_lock(connection, "played")
    before = {(each.played.kind, each.played.name): each for each in every(connection)}
    for one in results:
        known = before.pop((one.kind, one.name), None)
        values: dict[str, Any] = {
            "policies": json.dumps(one.policies, ensure_ascii=False),
            "place": one.place,
            "written": one.written,
            "found": json.dumps(one.found, ensure_ascii=False),
            "why": one.why,
            "at": now,
        }
        is_new = known is None or known.accepted is None or known.played.written != one.written
        if is_new and not one.why and (one.found or one.kind == "test"):
            values |= {"accepted": values["found"], "accepted_at": now, "accepted_by": ""}
        statement = insert(connection, table).values(kind=one.kind, name=one.name, **values)
        connection.execute(statement.on_conflict_do_update(index_elements=["kind", "name"], set_=values))
    for kind, name in before:
        connection.execute(delete(table).where(table.c.kind == kind, table.c.name == name))


def accept(connection: Connection, who: str, now: Instant) -> tuple[Kept, ...]:
    """Accept what came of all of them when they were played last; answers those whose result was another before."""
    others = tuple(each for each in every(connection) if each.is_other)
    for each in others:
        connection.execute(
            update(table)
            .where(table.c.kind == each.played.kind, table.c.name == each.played.name)
            .values(accepted=table.c.found, accepted_at=now, accepted_by=who)
        )
    return others


def _kept(row: Row[Any]) -> Kept:
    return Kept(
        played=Played(
            kind=row.kind,
            name=row.name,
            policies=tuple(json.loads(row.policies)),
            place=row.place,
            written=row.written,
            found=tuple(json.loads(row.found)),
            why=row.why,
        ),
        at=row.at,
        accepted=None if row.accepted is None else tuple(json.loads(row.accepted)),
        accepted_at=row.accepted_at,
        accepted_by=row.accepted_by or "",
    )
