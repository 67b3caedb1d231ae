"""Triggers, automations and SLA policies out of an export as policies: what means the same is carried over, of the rest
is said why not. What a single line means, `rule_lines` tells. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from adapters.carry import CannotCarry, Carried, Names, RuleLine, need_every_page
from adapters.http import clean
from adapters.zendesk.rule_lines import (
    ACTED_ON,
    HAPPENED,
    STATUSES,
    Doing,
    Fragment,
    Known,
    condition,
    due_of,
    is_time,
    parts_of,
    statuses_left,
)

METRICS = {
    "first_reply_time": "first_reply", "next_reply_time": "next_reply", "total_resolution_time": "resolution",
    "requester_wait_time": "resolution",
}  # fmt: skip
"""Zendesk's SLA metrics that one of our clocks reads."""

AGAIN = (
    "a trigger acts at every update while its conditions hold, and no action of this one makes them fail; a policy "
    "acts once"
)
MAILED = (
    "What was mail became an internal note, as asked; whom Zendesk tells of it is up to its own triggers."
)
HOURLY = "Zendesk looks once an hour and acts up to an hour later than this policy."
AT_ONCE = (
    "Zendesk acts within the update; this policy does once it has heard of it, seconds or a minute later."
)


@dataclass(slots=True)
class Reading:
    """What has been read of one rule so far."""

    names: Known
    lines: list[RuleLine] = field(default_factory=list)

    def line(self, text: str, read: Callable[[], Any]) -> Any:
        """What one line is here; None, and why, where it cannot be carried over."""
        try:
            found = read()
        except CannotCarry as why:
            self.lines.append(RuleLine(text=text, why=str(why)))
            return None
        self.lines.append(RuleLine(text=text))
        return found

    @property
    def whole(self) -> bool:
        """Whether every line could be carried over."""
        return not any(line.why for line in self.lines)


def carry(export: Any, names: Names) -> tuple[Carried, ...]:
    """Every rule of an export, as its API gives it: an object with the lists `automations`, `triggers` and
    `sla_policies`, one rule, or a bare list. Names that stand in it too (`groups`, `users`, `organizations`) count.
    ValueError if it holds no rule."""
    need_every_page(export)
    listed = {kind: tuple(_rows(export, kind)) for kind in ("automation", "trigger", "sla_policy")}
    known = Known(names=_named(export, names), kinds=_kinds(export), moved=tuple(_moved(export, names)))
    if not any(listed.values()):
        raise ValueError("it holds no automations, triggers or sla_policies as Zendesk's API lists them")
    return (
        *(_automation(row, known) for row in listed["automation"]),
        *(_trigger(row, known) for row in listed["trigger"]),
        *(_sla_policy(row) for row in listed["sla_policy"]),
    )


def _rows(export: Any, kind: str) -> Iterable[Mapping[str, Any]]:
    many = "sla_policies" if kind == "sla_policy" else f"{kind}s"
    if isinstance(export, Mapping):
        one, rows = export.get(kind), export.get(many)
        yield from (one,) if isinstance(one, Mapping) else ()
        yield from (row for row in (rows if isinstance(rows, list) else ()) if isinstance(row, Mapping))
    elif isinstance(export, list):
        for row in export:
            if isinstance(row, Mapping) and _kind_of(row) == kind:
                yield row
            elif isinstance(row, Mapping):
                yield from _rows(row, kind)


def _kind_of(row: Mapping[str, Any]) -> str:
    """What a rule is that stands in a list of its own; empty where it is none."""
    if isinstance(row.get("policy_metrics"), list):
        return "sla_policy"
    if not isinstance(row.get("actions"), list):
        return ""
    timed = any(is_time(str(each.get("field"))) for each in _conditions(row, "all"))
    return "automation" if timed else "trigger"


def _named(export: Any, names: Names) -> Names:
    def of(key: str, *words: str) -> dict[str, str]:
        rows = export.get(key) if isinstance(export, Mapping) else None
        return {
            str(row["id"]): str(next(row[word] for word in words if row.get(word)))
            for row in (rows if isinstance(rows, list) else ())
            if isinstance(row, Mapping) and row.get("id") and any(row.get(word) for word in words)
        }

    return replace(
        names,
        groups={**names.groups, **of("groups", "name")},
        people={**names.people, **of("users", "email", "name")},
        organizations={**names.organizations, **of("organizations", "name")},
    )


def organizations_of(export: Mapping[str, Any]) -> set[str]:
    """The ids of the organizations that the rules of an export name."""
    rows = [row for kind in ("automation", "trigger") for row in _rows(export, kind)]
    said = [parts_of(each) for row in rows for which in ("all", "any") for each in _conditions(row, which)]
    return {value for name, _, value in said if name == "organization_id" and value.isdecimal()}


def _moved(export: Any, names: Names) -> Iterable[tuple[str, str]]:
    rows = export.get("custom_statuses") if isinstance(export, Mapping) else None
    categories = {word: word for word in STATUSES}
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, Mapping):
            for key in (row.get("id"), row.get("agent_label")):
                categories[str(key).casefold()] = str(row.get("status_category"))
    for key, counts_as in names.statuses.items():
        category = categories.get(key.casefold(), "")
        if STATUSES.get(category) != counts_as:
            yield category, counts_as


def _changes_meaning(statuses: Sequence[str], clock: str, known: Known) -> str:
    """Why the statuses of a rule are not what they are here; empty where they are."""
    words = {STATUSES[word] for word in statuses}
    for category, counts_as in known.moved:
        if not category or (category in statuses) != (counts_as in words) or clock == category:
            return (
                "the account's `statuses` in the config count a status as something else than Zendesk does, and this "
                "rule acts on it otherwise"
            )
    return ""


def _kinds(export: Any) -> dict[str, str]:
    rows = export.get("ticket_fields") if isinstance(export, Mapping) else None
    return {
        str(row.get("id")): str(row.get("type") or "")
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, Mapping)
    }


def _conditions(row: Mapping[str, Any], which: str) -> Sequence[Mapping[str, Any]]:
    inside = row.get("conditions", row)
    rows = inside.get(which) if isinstance(inside, Mapping) else None
    return [each for each in rows if isinstance(each, Mapping)] if isinstance(rows, list) else []


def _shown(row: Mapping[str, Any], which: str) -> str:
    name, operator, value = parts_of(row)
    return clean(f"{which}: {name} {operator} {value!r}")


# --- rules -------------------------------------------------------------------------------------------------------


def _title(row: Mapping[str, Any]) -> str:
    return clean(str(row.get("title") or row.get("raw_title") or "without a title")).strip()


def _automation(row: Mapping[str, Any], names: Known) -> Carried:
    reading, due = Reading(names), None
    conditions = [parts_of(each) for each in _conditions(row, "all")]
    timed = [each for each in conditions if is_time(each[0])]
    fragments: list[Fragment] = []
    for each, said in zip(_conditions(row, "all"), conditions, strict=True):
        if is_time(said[0]):
            due = reading.line(_shown(each, "all"), partial(due_of, *said)) or due
        else:
            found = reading.line(_shown(each, "all"), partial(condition, *said, names))
            fragments += [found] if found else []
    either = _either(row, reading, names)
    pinned = _pinned(conditions)
    doing = _doing(row, reading, names, _highest(conditions))
    why = _whole(row)
    if not why and len(timed) != 1:
        why = "it has no condition on time" if not timed else "it has more than one condition on time"
    elif not why and due is not None and due.status and pinned != (due.status,):
        why = (
            f"it counts hours since {due.status} without asking that the ticket is still {due.status}, and what "
            "Zendesk counts where it is not is not certain"
        )
    elif not why and due is not None and due.once and (either or len(conditions) > 1 + (due.status != "")):
        why = (
            "it acts only in that one hour, and only if its other conditions hold then; a level that is due fires "
            "however late they do"
        )
    why = why or _idle(reading, doing) or _changes_meaning(pinned, due.status if due else "", names)
    if why or due is None or not reading.whole:
        return Carried(kind="automation", title=_title(row), lines=tuple(reading.lines), why=why)
    hours = f"{due.hours} hours" if due.hours != 1 else "1 hour"
    when = _merged([*_without_status(fragments), *either], pinned)
    policy, templates = _policy(
        _title(row), due.clock, f"{due.hours}h", f"After {hours}", when, doing, skip=due.once
    )
    return Carried(
        kind="automation",
        title=_title(row),
        lines=tuple(reading.lines),
        policy=policy,
        templates=templates,
        remarks=(HOURLY, *((MAILED,) if doing.mailed else ())),
    )


def _trigger(row: Mapping[str, Any], names: Known) -> Carried:
    reading = Reading(names)
    conditions = [parts_of(each) for each in _conditions(row, "all")]
    fragments: list[Fragment] = []
    for each, said in zip(_conditions(row, "all"), conditions, strict=True):
        found = reading.line(_shown(each, "all"), partial(condition, *said, names))
        fragments += [found] if found else []
    either = _either(row, reading, names)
    doing = _doing(row, reading, names, _highest(conditions))
    why = _whole(row)
    if not why and reading.whole and not _ends_itself(conditions, row):
        why = AGAIN
    why = why or _idle(reading, doing) or _changes_meaning(_pinned(conditions), "", names)
    if why or not reading.whole:
        return Carried(kind="trigger", title=_title(row), lines=tuple(reading.lines), why=why)
    when = _merged([*_without_status(fragments), *either], _pinned(conditions))
    policy, templates = _policy(_title(row), "matching", "0m", "At once", when, doing, skip=False)
    return Carried(
        kind="trigger",
        title=_title(row),
        lines=tuple(reading.lines),
        policy=policy,
        templates=templates,
        remarks=(AT_ONCE, *((MAILED,) if doing.mailed else ())),
    )


def _sla_policy(row: Mapping[str, Any]) -> Carried:
    metrics = row.get("policy_metrics")
    lines = []
    for each in metrics if isinstance(metrics, list) else ():
        if not isinstance(each, Mapping):
            continue
        metric = str(each.get("metric"))
        text = clean(f"{metric}, priority {each.get('priority')}: {each.get('target')} minutes")
        why = "" if metric in METRICS else "no clock reads this target"
        lines.append(RuleLine(text=text, why=why))
    return Carried(
        kind="SLA policy",
        title=_title(row),
        lines=tuple(lines),
        why="Zendesk keeps these targets, and the clocks `first_reply`, `next_reply` and `resolution` read them from "
        "each ticket: nothing is to be written, and the pack `sla-guard` watches them",
        stands=True,
    )


def _highest(conditions: Iterable[tuple[str, str, str]]) -> str | None:
    """The highest priority that these conditions leave a ticket; empty for none, None where they leave any."""
    for name, operator, value in conditions:
        if name == "priority" and operator == "is":
            return value
    return None


def _idle(reading: Reading, doing: Doing) -> str:
    """Why a rule that does nothing is not carried over."""
    return "it does nothing" if reading.whole and not doing.level and not doing.template else ""


def _whole(row: Mapping[str, Any]) -> str:
    """Why the rule as a whole is not carried over."""
    return "it is switched off in Zendesk" if row.get("active") is False else ""


def _either(row: Mapping[str, Any], reading: Reading, names: Known) -> list[Fragment]:
    found = []
    for each in _conditions(row, "any"):
        said = parts_of(each)

        def read(said: tuple[str, str, str] = said) -> Fragment:
            if is_time(said[0]):
                raise CannotCarry("time cannot be one of several conditions")
            return condition(*said, names)

        found.append(reading.line(_shown(each, "any"), read))
    whole = [each for each in found if each]
    if len(whole) < 2:
        return whole
    return [{"any": whole}]


def _doing(row: Mapping[str, Any], reading: Reading, names: Known, at_most: str | None) -> Doing:
    doing, actions = Doing(), row.get("actions")
    rows = [each for each in actions if isinstance(each, Mapping)] if isinstance(actions, list) else []
    mode = next(
        (str(each.get("value")).lower() for each in rows if each.get("field") == "comment_mode_is_public"), ""
    )
    for each in rows:
        value = each.get("value")
        shown = value[0] if isinstance(value, list) and value else value
        text = clean(f"action: {each.get('field') or each.get('source')} {shown!r}")[:200]
        reading.line(text, partial(doing.add, each, names, at_most, mode))
    return doing


def _pinned(conditions: Iterable[tuple[str, str, str]]) -> tuple[str, ...]:
    """The statuses that the conditions leave a ticket on which a rule can act."""
    left: tuple[str, ...] = ACTED_ON
    for name, operator, value in conditions:
        if name == "status" and operator not in HAPPENED:
            try:
                left = tuple(word for word in left if word in statuses_left(operator, value))
            except CannotCarry:
                return ()
    return left


def _without_status(fragments: Iterable[Fragment]) -> list[Fragment]:
    return [each for each in fragments if "status" not in each]


def _merged(fragments: Iterable[Fragment], statuses: Sequence[str]) -> Fragment:
    """One table of `when`. The statuses are written out, since a policy that does not ask for solved leaves it out."""
    words = [STATUSES[word] for word in statuses]
    when: Fragment = {"status": words[0] if len(words) == 1 else words}
    beside: list[Fragment] = []
    for each in fragments:
        if each.keys() & when.keys():
            beside.append(each)
        else:
            when |= each
    return {**when, "all": beside} if beside else when


def _ends_itself(conditions: Iterable[tuple[str, str, str]], row: Mapping[str, Any]) -> bool:
    """Whether an action makes one of the conditions fail that must all hold."""
    actions = row.get("actions")
    done = {
        (str(each.get("field")), tag)
        for each in (actions if isinstance(actions, list) else ())
        if isinstance(each, Mapping) and isinstance(each.get("value"), str)
        for tag in (each["value"].lower().split() or [""])
    }
    for name, operator, value in conditions:
        if name == "current_tags" and operator == "not_includes":
            if any(("current_tags", tag) in done for tag in value.lower().split()):
                return True
        elif name == "current_tags" and operator == "includes":
            if value.lower().split() and all(("remove_tags", tag) in done for tag in value.lower().split()):
                return True
        elif name in ("priority", "group_id", "assignee_id"):
            set_to = [word for field_name, word in done if field_name == name]
            if operator == "is_not" and value in set_to:
                return True
            if operator == "is" and set_to and value not in set_to:
                return True
    return False


def _policy(
    title: str, clock: str, after: str, level: str, when: Fragment, doing: Doing, *, skip: bool
) -> tuple[dict[str, Any], dict[str, str]]:
    """The table, and the texts that it names."""
    policy: dict[str, Any] = {"name": title, "mode": "observe", "clock": clock}
    if skip:
        policy["backlog"] = "skip"
    if doing.public:
        policy["public"] = True
    templates = {title: doing.template} if doing.template else {}
    said = {"reply" if doing.public else "note": title} if templates else {}
    return {
        **policy,
        "when": when,
        "level": [{"name": level, "after": after, **doing.level, **said}],
    }, templates
