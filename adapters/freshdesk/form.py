"""The account's ticket form: its fields, their choices, and what each status is and counts as.

`choices` comes in several shapes: a list of texts, numbers by label, labels by number (statuses: one for agents, one
for customers), objects, and nested lists. https://developers.freshdesk.com/api/#list_all_ticket_fields
Whether a status stops the SLA clock (`stop_sla_timer`) stands at its choice where Freshdesk shows it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from adapters.base import Account
from adapters.freshdesk.client import Row
from policies.model import Status

STATUS_NAMES: Mapping[int, str] = {
    2: "Open",
    3: "Pending",
    4: "Resolved",
    5: "Closed",
    6: "Waiting on Customer",
    7: "Waiting on Third Party",
}
"""What every account begins with. All but the first four can be renamed and used for something else."""

BUILT_IN = {2: Status.OPEN, 3: Status.PENDING, 4: Status.SOLVED, 5: Status.CLOSED}
WAITING = {6: Status.PENDING, 7: Status.ON_HOLD}
"""Numbers that mean this as long as nobody has made something else of them."""

LONGEST_CHOICES = 400
"""How many characters of a list of choices a finding shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a status counts as, and how we know: the account's settings say so, it is built in, its SLA timer tells, it
    is a guess, or nobody ever named its number."""

    status: Status
    how: Literal["said", "built in", "timer", "guessed", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What the form says. `names` are those of all fields; `statuses` and `sources` are labels by Freshdesk's number,
    `timers` says by a status' number whether it stops the SLA clock, `choices` are the values a field takes by its name
    and `needed` the fields that no update may leave empty on the ticket, with when."""

    names: frozenset[str] = frozenset()
    statuses: Mapping[int, str] = field(default_factory=dict)
    sources: Mapping[int, str] = field(default_factory=dict)
    timers: Mapping[int, bool] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    needed: Mapping[str, Literal["always", "to close"]] = field(default_factory=dict)
    status_field: str = ""

    def status_name(self, number: int) -> str:
        """What agents call this status, else what Freshdesk calls it, else its number."""
        return self.statuses.get(number) or STATUS_NAMES.get(number) or f"status_{number}"

    def meaning(self, account: Account, number: int) -> Meaning:
        """What this status counts as. The account's settings win; then what is built in; then the SLA timer, which
        rests while the ticket waits for somebody else; then the number."""
        label = self.status_name(number)
        if (said := account.counts_as(str(number), label)) is not None:
            return Meaning(status=said, how="said")
        if number in BUILT_IN:
            return Meaning(status=BUILT_IN[number], how="built in")
        stops = self.timers.get(number)
        waits = WAITING.get(number, Status.ON_HOLD)
        if stops is not None:
            return Meaning(status=waits if stops else Status.OPEN, how="timer")
        if number in WAITING:
            own = label.casefold() != STATUS_NAMES[number].casefold()
            return Meaning(status=waits, how="guessed" if own else "built in")
        return Meaning(status=Status.OPEN, how="guessed" if number in self.statuses else "unknown")


def form(entries: Iterable[Any], statuses: Any = None) -> Form:
    """The form behind the entries of the list of ticket fields. A field in an unknown shape has no labels and no
    choices. `statuses` is the status field as administrators see it, where it could be read."""
    rows: list[Row] = [each for each in entries if isinstance(each, dict)]
    by_name = {name: row for row in rows if isinstance(name := row.get("name"), str)}
    status = by_name.get("status", {}).get("choices")
    whole = statuses.get("choices") if isinstance(statuses, dict) else None
    return Form(
        names=frozenset(by_name),
        statuses=dict(labels(whole)) | dict(labels(status)),
        sources=dict(labels(by_name.get("source", {}).get("choices"))),
        timers=dict(timers(status)) | dict(timers(whole)),
        choices={name: values for name, row in by_name.items() if (values := texts(row.get("choices")))},
        needed={name: when for name, row in by_name.items() if (when := need(row))},
        status_field=str(by_name.get("status", {}).get("id") or ""),
    )


def labels(choices: Any) -> Iterator[tuple[int, str]]:
    """Number and label of each numbered choice, whichever of the two is the key, or both in an object."""
    for number, label, _ in numbered(choices):
        yield number, label


def timers(choices: Any) -> Iterator[tuple[int, bool]]:
    """Number of each choice that says whether it stops the SLA clock, with what it says."""
    for number, _, choice in numbered(choices):
        stops = choice.get("stop_sla_timer") if isinstance(choice, dict) else None
        if isinstance(stops, bool):
            yield number, stops


def numbered(choices: Any) -> Iterator[tuple[int, str, Any]]:
    """Number, label and the whole of each numbered choice."""
    if isinstance(choices, list):
        for each in choices:
            if isinstance(each, dict):
                number = next(
                    (each[key] for key in ("value", "choice_id", "id") if is_number(each.get(key))), None
                )
                if number is not None and isinstance(each.get("label"), str) and each["label"]:
                    yield number, each["label"], each
        return
    for key, value in choices.items() if isinstance(choices, dict) else ():
        if is_number(value):
            yield value, str(key), value
        elif str(key).isascii() and str(key).isdecimal() and len(key) < 10:
            label = value[0] if isinstance(value, list) and value else value
            label = value.get("label") if isinstance(value, dict) else label
            if isinstance(label, str) and label:
                yield int(key), label, value


def is_number(value: Any) -> bool:
    """Whether this is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def texts(choices: Any) -> tuple[str, ...]:
    """The values of a field that takes one of several texts: those of the first level, where they are nested. Empty
    where no such list was recognised, also if only one choice was not: then any value may be one."""
    if isinstance(choices, dict):
        if all(isinstance(each, dict | list) for each in choices.values()):
            return () if any(str(key).isdecimal() for key in choices) else tuple(map(str, choices))
        return ()
    found: list[str] = []
    for each in choices if isinstance(choices, list) else ():
        value = each.get("value", each.get("label")) if isinstance(each, dict) else each
        if not isinstance(value, str):
            return ()
        found.append(value)
    return tuple(found)


def need(row: Row) -> Literal["always", "to close"] | None:
    """When a custom field must hold something for an update to be taken."""
    if row.get("default") is not False or not str(row.get("name", "")).startswith("cf_"):
        return None
    if row.get("required_for_agents") is True:
        return "always"
    return "to close" if row.get("required_for_closure") is True else None


def listed(values: Iterable[str]) -> str:
    """A list of choices for a sentence, cut where it is long."""
    whole = ", ".join(values)
    return whole if len(whole) <= LONGEST_CHOICES else whole[:LONGEST_CHOICES] + " …"
