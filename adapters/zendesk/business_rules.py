"""Triggers, automations and SLA policies as policies: what means the same is carried over, of the rest is said why not.
Pure.

Fields, operators and values: https://developer.zendesk.com/documentation/ticketing/reference-guides/conditions-reference/
How hours are counted (`greater_than 96` acts once 96 hours have gone by, at the next hourly run):
https://support.zendesk.com/hc/en-us/articles/4408836495130"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from adapters.carry import CannotCarry, Carried, Names, RuleLine, as_template, need_every_page
from adapters.http import clean

T = TypeVar("T")
Fragment = dict[str, Any]
"""A table of `when`: each of its lines must hold."""

STATUSES = {
    "new": "new", "open": "open", "pending": "pending", "hold": "on_hold", "solved": "solved", "closed": "closed",
}  # fmt: skip
"""Zendesk's statuses, in its order, and ours."""
ACTED_ON = ("new", "open", "pending", "hold", "solved")
"""No rule changes a closed ticket."""
PRIORITIES = ("low", "normal", "high", "urgent")
IN_STATUS = {"OPEN": "open", "PENDING": "pending", "HOLD": "hold", "SOLVED": "solved"}
CHANNELS = {"4": "email", "5": "api"}
"""Channels whose number and word are one and the same."""

NOT_COUNTED = {
    "assigned_at": "no clock counts from an assignment alone; the nearest is `assignee_silent`, which each act of the "
    "assignee restarts",
    "updated_at": "the nearest clock is `untouched`, which does not count what rules and integrations change",
    "requester_updated_at": "the nearest clock is `customer_waiting`, which counts from the first message that nobody "
    "has answered and not from the last",
    "assignee_updated_at": "the nearest clock is `assignee_silent`, which the assignment restarts too",
    "due_date": "no clock counts from a task's due date",
    "until_due_date": "no clock counts to a task's due date",
    "CLOSED": "nothing can be done to a closed ticket",
}  # fmt: skip
SLA_TIMES = ("sla", "breach")
HAPPENED = frozenset(
    {"changed", "not_changed", "value", "value_previous", "not_value", "not_value_previous", "changed_to",
     "changed_from", "not_changed_to", "not_changed_from"}
)  # fmt: skip
EVENTS = frozenset(
    {"update_type", "current_via_id", "comment_is_public", "comment_includes_word", "role", "attachment",
     "in_business_hours", "requester_role", "current_user"}
)  # fmt: skip
COUNTS = frozenset({"reopens", "replies", "agent_stations", "group_stations"})
WORDS = frozenset({"subject_includes_word", "description_includes_word"})
METRICS = {
    "first_reply_time": "first_reply", "next_reply_time": "next_reply", "total_resolution_time": "resolution",
    "requester_wait_time": "resolution",
}  # fmt: skip
"""Zendesk's SLA metrics that one of our clocks reads."""

EVENT = "it asks what happened in one update; a policy asks how the ticket stands"
AGAIN = (
    "a trigger acts at every update while its conditions hold, and no action of this one makes them fail; a policy "
    "acts once"
)
MAIL = frozenset({"notification_user", "notification_group"})
TO_AGENTS = frozenset({("notification_user", "assignee_id"), ("notification_group", "group_id")})
"""Mail to whoever has the ticket."""
MAILED = (
    "What was mail became an internal note, as asked; whom Zendesk tells of it is up to its own triggers."
)
HOURLY = "Zendesk looks once an hour and acts up to an hour later than this policy."
AT_ONCE = (
    "Zendesk acts within the update; this policy does once it has heard of it, seconds or a minute later."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The names that rules use, and of each custom field what kind it is. `moved` are custom statuses that our config
    counts as something else than their category: that category, empty where it is not told, and what they count as."""

    names: Names
    kinds: Mapping[str, str]
    moved: tuple[tuple[str, str], ...] = ()


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
    timed = any(_is_time(str(each.get("field"))) for each in _conditions(row, "all"))
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
    said = [_said(each) for row in rows for which in ("all", "any") for each in _conditions(row, which)]
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


def _is_time(name: str) -> bool:
    return name == "NEW" or name in IN_STATUS or name in NOT_COUNTED or _is_sla(name)


def _is_sla(name: str) -> bool:
    return all(word in name.casefold() for word in SLA_TIMES)


def _said(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """A condition's field, operator and value. Values are texts; a missing one is empty."""
    value = row.get("value")
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return str(row.get("field") or row.get("source") or ""), str(row.get("operator") or "is"), text


def _shown(row: Mapping[str, Any], which: str) -> str:
    name, operator, value = _said(row)
    return clean(f"{which}: {name} {operator} {value!r}")


# --- conditions --------------------------------------------------------------------------------------------------


def _condition(name: str, operator: str, value: str, names: Known) -> Fragment:
    """A condition on how the ticket stands as a table of `when`. CannotCarry says why it is none."""
    if operator in HAPPENED or name in EVENTS:
        raise CannotCarry(EVENT)
    if name == "status":
        kept = _statuses(operator, value)
        return {"status": [STATUSES[word] for word in kept]}
    if name == "priority":
        return _priority(operator, value)
    if name == "type":
        return _plain("type", operator, value)
    if name == "group_id":
        return _plain("group", operator, _look_up(value, names.names.groups, "group"))
    if name == "assignee_id":
        return _plain("assignee", operator, _look_up(value, names.names.people, "person"))
    if name == "organization_id":
        return _plain("organization", operator, _look_up(value, names.names.organizations, "organization"))
    if name == "current_tags":
        return _tags(operator, value)
    if name == "via_id":
        if value not in CHANNELS:
            raise CannotCarry("which of the helpdesk's words for a channel this number is, is not certain")
        return _plain("channel", operator, CHANNELS[value])
    if name.startswith("custom_fields_"):
        return _custom(name.removeprefix("custom_fields_"), operator, value, names)
    raise CannotCarry(_why_not(name))


def _why_not(name: str) -> str:
    if name in COUNTS:
        return "Zendesk counts what rules did too; Uptier counts what people did"
    if name in WORDS:
        return "how Zendesk cuts words, and whether capitals matter, is not certain; write `contains` or `matches`"
    return "no condition of a policy asks for it"


def _statuses(operator: str, value: str) -> tuple[str, ...]:
    order = tuple(STATUSES)
    if value not in order:
        raise CannotCarry(f"{value!r} is no status that is known here")
    place = order.index(value)
    meant: dict[str, tuple[str, ...]] = {
        "is": order[place : place + 1],
        "is_not": (*order[:place], *order[place + 1 :]),
        "less_than": order[:place],
        "greater_than": order[place + 1 :],
    }
    return tuple(word for word in _operator(meant, operator) if word in ACTED_ON)


def _priority(operator: str, value: str) -> Fragment:
    if operator == "less_than":
        raise CannotCarry("whether a ticket without a priority counts as less is not certain")
    if operator == "greater_than":
        if value not in PRIORITIES:
            raise CannotCarry(f"{value!r} is no priority that is known here")
        above = PRIORITIES[PRIORITIES.index(value) + 1 :]
        if not above:
            raise CannotCarry("nothing is above urgent")
        return {"priority": list(above)}
    if value and value not in PRIORITIES:
        raise CannotCarry(f"{value!r} is no priority that is known here")
    return _plain("priority", operator, value)


def _plain(name: str, operator: str, value: str) -> Fragment:
    """`is` and `is_not`, where an empty value means that there is none. In Zendesk `is_not` also holds without a
    value; `not` does not."""
    if not value:
        return _operator({"is": {name: {"known": False}}, "is_not": {name: {"known": True}}}, operator)
    other: Fragment = {"any": [{name: {"not": value}}, {name: {"known": False}}]}
    return _operator({"is": {name: value}, "is_not": other}, operator)


def _tags(operator: str, value: str) -> Fragment:
    tags = value.lower().split()
    if not tags:
        raise CannotCarry("it names no tag")
    return _operator(
        {"includes": {"tags": {"has": tags}}, "not_includes": {"tags": {"lacks": tags}}}, operator
    )


def _custom(number: str, operator: str, value: str, names: Known) -> Fragment:
    name, kind = _mapped(number, names)
    if operator in ("present", "not_present"):
        return {"custom": {name: {"known": operator == "present"}}}
    if kind == "checkbox":
        if (operator, value) != ("is", "true"):
            raise CannotCarry("whether a box that nobody touched counts as not ticked is not certain")
        return {"custom": {name: True}}
    if kind != "tagger":
        raise CannotCarry(f"how a field of the kind {kind or 'that is not told'} is compared is not certain")
    plain = _plain(f"custom.{name}", operator, value)
    inner = plain.get("any", [plain])
    split = [{"custom": {name: operand}} for each in inner for operand in each.values()]
    return {"any": split} if "any" in plain else split[0]


def _mapped(number: str, names: Known) -> tuple[str, str]:
    """Our NAME of a custom field, and Zendesk's word for its kind, empty where that is not told."""
    if number not in names.names.fields:
        raise CannotCarry(
            f"field {number} has no name in the config: custom.NAME, under the account's `fields`"
        )
    return names.names.fields[number], names.kinds.get(number, "")


def _look_up(value: str, known: Mapping[str, str], what: str) -> str:
    if value and not value.isdecimal():
        raise CannotCarry(f"{value!r} is another {what} at each ticket")
    if value and value not in known:
        raise CannotCarry(f"which {what} is {value} is not known; import from the account, which tells")
    return known[value] if value else ""


def _operator(meant: Mapping[str, T], operator: str) -> T:
    if operator not in meant:
        raise CannotCarry(f"the operator {operator} is not known here")
    return meant[operator]


# --- time --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Due:
    """When an automation acts: so many hours along this clock; `once` where it does only in that one hour."""

    clock: str
    hours: int
    status: str = ""
    once: bool = False


def _due(name: str, operator: str, value: str) -> Due:
    if name in NOT_COUNTED:
        raise CannotCarry(NOT_COUNTED[name])
    if _is_sla(name):
        raise CannotCarry(
            "Zendesk asks for whichever target comes next; write a policy on each of the clocks `first_reply`, "
            "`next_reply` and `resolution`, or take the pack `sla-guard`"
        )
    if operator.endswith("_business_hours"):
        raise CannotCarry("it counts business hours; write a policy with the `calendar` that is meant")
    if operator == "less_than":
        raise CannotCarry("it ends after some hours; a level that is due fires however late it is")
    if operator not in ("is", "greater_than"):
        raise CannotCarry(f"the operator {operator} is not known here")
    if not value.isdecimal():
        raise CannotCarry(f"{value!r} is no number of hours")
    status = IN_STATUS.get(name, "")
    return Due(
        clock="in_status" if status else "created", hours=int(value), status=status, once=operator == "is"
    )


# --- actions -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Doing:
    """What a level does, gathered from the actions."""

    level: dict[str, Any] = field(default_factory=dict)
    template: str = ""
    public: bool = False
    mailed: bool = False

    def add(self, row: Mapping[str, Any], names: Known, at_most: str | None, mode: str) -> None:
        """One action. `at_most` is the highest priority that the conditions leave the ticket, None where they leave
        any; `mode` is whether the rule's comment is public. Raises CannotCarry."""
        name, value = str(row.get("field") or row.get("source") or ""), row.get("value")
        text = (
            str(value).lower()
            if isinstance(value, bool)
            else value
            if isinstance(value, str)
            else str(value or "")
        )
        if name in ("current_tags", "remove_tags"):
            if not text.lower().split():
                raise CannotCarry("it names no tag")
            self.level["tags" if name == "current_tags" else "untag"] = text.lower().split()
        elif name == "priority":
            self.level["priority"] = {"at_least": _raised(text, at_most)}
        elif name == "group_id":
            self._assign("group", _given(text, names.names.groups, "group"))
        elif name == "assignee_id":
            self._assign("agent", _given(text, names.names.people, "person"))
        elif name.startswith("custom_fields_"):
            self._set(name.removeprefix("custom_fields_"), text, names)
        elif name == "comment_value":
            self._say(value, mode)
        elif name == "comment_mode_is_public":
            return
        elif names.names.mail_as_note and (name, _first(value)) in TO_AGENTS:
            self._mail(value)
        else:
            raise CannotCarry(_not_done(name))

    def _assign(self, what: str, who: str) -> None:
        self.level["assign"] = {**self.level.get("assign", {}), what: who}

    def _set(self, number: str, text: str, names: Known) -> None:
        name, kind = _mapped(number, names)
        values: dict[str, Any] = {
            "tagger": text or None,
            "checkbox": {"true": True, "false": False}.get(text),
            "integer": int(text) if text.isdecimal() else None,
        }
        if (value := values.get(kind)) is None:
            raise CannotCarry(
                f"how a field of the kind {kind or 'that is not told'} is set to {text!r} is not certain"
            )
        custom = self.level.setdefault("set", {}).setdefault("custom", {})
        custom[name] = value

    def _mail(self, value: Any) -> None:
        if self.template:
            raise CannotCarry("a level has one note, and there is another one")
        if not isinstance(value, list) or len(value) != 3:
            raise CannotCarry("its text is not told")
        self.template, self.mailed = as_template(str(value[2])), True

    def _say(self, value: Any, mode: str) -> None:
        if self.template:
            raise CannotCarry("a level has one note, and there is another one")
        if isinstance(value, list):
            if len(value) != 2 or value[0] != "channel:all":
                raise CannotCarry("it is said on some channels only")
            value = value[1]
        text = as_template(str(value or ""))
        if mode not in ("true", "false"):
            raise CannotCarry("whether it is public is not told")
        self.template = text
        self.public = mode == "true"


def _first(value: Any) -> str:
    return str(value[0]) if isinstance(value, list) and value else ""


def _not_done(name: str) -> str:
    if name in MAIL:
        return "Uptier sends no mail through Zendesk; with `--mail-as-note` mail to the assignee or the group is a note"
    if name.startswith("notification_"):
        return "targets and webhooks of Zendesk are not Uptier's; `notify` tells a channel"
    if name == "status":
        return "Uptier never changes a status; leave this to Zendesk"
    if name == "set_tags":
        return "it replaces all tags, also those that others set; levels add and remove"
    if name == "satisfaction_score":
        return "surveys are Zendesk's; leave this to it"
    return "no level does this"


def _raised(value: str, at_most: str | None) -> str:
    if value not in PRIORITIES:
        raise CannotCarry("a priority cannot be taken away")
    if value != "urgent" and (
        at_most is None or (at_most and PRIORITIES.index(at_most) > PRIORITIES.index(value))
    ):
        raise CannotCarry("it may lower the priority too, as its conditions are; a level only raises it")
    return value


def _given(value: str, known: Mapping[str, str], what: str) -> str:
    if not value:
        raise CannotCarry(f"a level takes no {what} away")
    return _look_up(value, known, what)


def _highest(conditions: Iterable[tuple[str, str, str]]) -> str | None:
    """The highest priority that these conditions leave a ticket; empty for none, None where they leave any."""
    for name, operator, value in conditions:
        if name == "priority" and operator == "is":
            return value
    return None


# --- rules -------------------------------------------------------------------------------------------------------


def _title(row: Mapping[str, Any]) -> str:
    return clean(str(row.get("title") or row.get("raw_title") or "without a title")).strip()


def _automation(row: Mapping[str, Any], names: Known) -> Carried:
    reading, due = Reading(names), None
    conditions = [_said(each) for each in _conditions(row, "all")]
    timed = [each for each in conditions if _is_time(each[0])]
    fragments: list[Fragment] = []
    for each, said in zip(_conditions(row, "all"), conditions, strict=True):
        if _is_time(said[0]):
            due = reading.line(_shown(each, "all"), partial(_due, *said)) or due
        else:
            found = reading.line(_shown(each, "all"), partial(_condition, *said, names))
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
    conditions = [_said(each) for each in _conditions(row, "all")]
    fragments: list[Fragment] = []
    for each, said in zip(_conditions(row, "all"), conditions, strict=True):
        found = reading.line(_shown(each, "all"), partial(_condition, *said, names))
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


def _idle(reading: Reading, doing: Doing) -> str:
    """Why a rule that does nothing is not carried over."""
    return "it does nothing" if reading.whole and not doing.level and not doing.template else ""


def _whole(row: Mapping[str, Any]) -> str:
    """Why the rule as a whole is not carried over."""
    return "it is switched off in Zendesk" if row.get("active") is False else ""


def _either(row: Mapping[str, Any], reading: Reading, names: Known) -> list[Fragment]:
    found = []
    for each in _conditions(row, "any"):
        said = _said(each)

        def read(said: tuple[str, str, str] = said) -> Fragment:
            if _is_time(said[0]):
                raise CannotCarry("time cannot be one of several conditions")
            return _condition(*said, names)

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
                left = tuple(word for word in left if word in _statuses(operator, value))
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
