"""The account's ticket form: its fields, and the names of its statuses and sources.

`choices` comes in four shapes: a list of texts, numbers by label, labels by number (statuses: one for agents,
one for customers), and nested lists. https://developers.freshdesk.com/api/#list_all_ticket_fields
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.freshdesk.session import Row

STATUS_NAMES: Mapping[int, str] = {
    2: "Open",
    3: "Pending",
    4: "Resolved",
    5: "Closed",
    6: "Waiting on Customer",
    7: "Waiting on Third Party",
}
"""What every account begins with. All but the first four can be renamed and used for something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What the form says. `names` are those of all fields; both maps are by Freshdesk's number."""

    names: frozenset[str] = frozenset()
    statuses: Mapping[int, str] = field(default_factory=dict)
    sources: Mapping[int, str] = field(default_factory=dict)

    def status_name(self, number: int) -> str:
        """What agents call this status, else what Freshdesk calls it, else its number."""
        return self.statuses.get(number) or STATUS_NAMES.get(number) or f"status_{number}"


def form(rows: Sequence[Row]) -> Form:
    """The form behind the rows of the list of ticket fields. A field in an unknown shape has no labels."""
    by_name = {str(row.get("name")): row for row in rows}
    return Form(
        names=frozenset(by_name),
        statuses=dict(labels(by_name.get("status", {}).get("choices"))),
        sources=dict(labels(by_name.get("source", {}).get("choices"))),
    )


def labels(choices: Any) -> Iterator[tuple[int, str]]:
    """Number and label of each numbered choice, whichever of the two is the key."""
    for key, value in choices.items() if isinstance(choices, dict) else ():
        if isinstance(value, int) and not isinstance(value, bool):
            yield value, str(key)
        elif str(key).isdecimal():
            label = value[0] if isinstance(value, list) and value else value
            if isinstance(label, str) and label:
                yield int(key), label
