"""Reads `[people.*]` and `[groups.*]`: managers, leads, duties and authority limits."""

from collections.abc import Iterator, Mapping, Sequence

from policies.limits import Limits
from policies.table import Table

PERSON = ("manager", "limit", "timezone", "absent", "substitute", "cap", "skills")
GROUP = ("lead", "on_call", "limit")


def read_people(roots: Sequence[Table]) -> Mapping[str, str]:
    """Whose manager is who."""
    managers: dict[str, str] = {}
    for root in roots:
        for name, table in root.named("people"):
            table.only(PERSON)
            if manager := table.text("manager", '"lee@acme.test"'):
                managers[name] = manager
    return managers


def read_groups(roots: Sequence[Table], key: str) -> Mapping[str, str]:
    """Each group's lead, or who is on call for it."""
    found: dict[str, str] = {}
    for root in roots:
        for name, table in root.named("groups"):
            if key == "lead":
                table.only(GROUP)
            if person := table.text(key, '"dana@acme.test"'):
                found[name] = person
    return found


def tables(root: Table, kind: str) -> Iterator[tuple[str, Table]]:
    """The tables of people or groups. What is no table was noted when it was read before."""
    outer = root.values.get(kind)
    for name, said in outer.items() if isinstance(outer, dict) else ():
        if isinstance(said, dict):
            yield name, root.inside((kind, name), said, f'{kind} "{name}"')


def read_limits(roots: Sequence[Table]) -> Limits:
    """The authority limits of people and groups."""
    found: dict[str, dict[str, float]] = {"people": {}, "groups": {}}
    for kind, limits in found.items():
        for root in roots:
            for name, table in tables(root, kind):
                if (limit := table.amount("limit")) is not None:
                    limits[name] = limit
    return Limits(people=found["people"], groups=found["groups"])
