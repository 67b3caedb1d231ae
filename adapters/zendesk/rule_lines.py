"""What one line of a trigger or automation means here: a condition, a time, an action. What is not the same in every
case is not carried over, and is said why not. Pure.

Fields, operators and values: https://developer.zendesk.com/documentation/ticketing/reference-guides/conditions-reference/
How hours are counted (`greater_than 96` acts once 96 hours have gone by, at the next hourly run):
https://support.zendesk.com/hc/en-us/articles/4408836495130"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from adapters.carry import CannotCarry, Names, as_template

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
EVENT = "it asks what happened in one update; a policy asks how the ticket stands"
MAIL = frozenset({"notification_user", "notification_group"})
TO_AGENTS = frozenset({("notification_user", "assignee_id"), ("notification_group", "group_id")})
"""Mail to whoever has the ticket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The names that rules use, and of each custom field what kind it is. `moved` are custom statuses that our config
    counts as something else than their category: that category, empty where it is not told, and what they count as."""

    names: Names
    kinds: Mapping[str, str]
    moved: tuple[tuple[str, str], ...] = ()


def parts_of(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """A condition's field, operator and value. Values are texts; a missing one is empty."""
    value = row.get("value")
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return str(row.get("field") or row.get("source") or ""), str(row.get("operator") or "is"), text


def is_time(name: str) -> bool:
    """Whether a condition on this field is one on time."""
    return name == "NEW" or name in IN_STATUS or name in NOT_COUNTED or _is_sla(name)


def _is_sla(name: str) -> bool:
    return all(word in name.casefold() for word in SLA_TIMES)


# --- conditions --------------------------------------------------------------------------------------------------


def condition(name: str, operator: str, value: str, names: Known) -> Fragment:
    """A condition on how the ticket stands as a table of `when`. CannotCarry says why it is none."""
    if operator in HAPPENED or name in EVENTS:
        raise CannotCarry(EVENT)
    if name == "status":
        kept = statuses_left(operator, value)
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


def statuses_left(operator: str, value: str) -> tuple[str, ...]:
    """Zendesk's statuses that such a condition leaves a ticket on which a rule can act. CannotCarry says why none."""
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


def due_of(name: str, operator: str, value: str) -> Due:
    """When a condition on time lets an automation act. CannotCarry says why that is no `after` of a level."""
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
        elif name == "follower":
            self.level.setdefault("follow", []).append(_given(text, names.names.people, "person"))
        elif name.startswith("custom_fields_"):
            self._set(name.removeprefix("custom_fields_"), text, names)
        elif name == "comment_value":
            self._say(value, mode)
        elif name == "comment_mode_is_public":
            return
        elif names.names.mail_as_note and (name, _first(value)) in TO_AGENTS:
            self._mail(value)
        else:
            raise CannotCarry(_not_done(name, _first(value)))

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


def _not_done(name: str, to: str) -> str:
    if (name, to) in TO_AGENTS:
        return "Uptier sends no mail through Zendesk; with `--mail-as-note` mail to the assignee or the group is a note"
    if name in MAIL:
        return "Uptier sends no mail through Zendesk; leave this to it, or write a `reply` to the customer"
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
