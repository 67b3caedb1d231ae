"""Escalation chains of Grafana OnCall and escalation policies of PagerDuty as policies, out of what their APIs give, or
out of Terraform's state. Pure.

Grafana OnCall: https://grafana.com/docs/oncall/latest/oncall-api-reference/escalation_policies/
PagerDuty: https://developer.pagerduty.com/api-reference/ (escalation policies)
Terraform: https://developer.hashicorp.com/terraform/internals/json-format, and the resources of the providers
grafana/grafana (`internal/resources/oncall`) and PagerDuty/pagerduty (`pagerduty_escalation_policy`)"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from adapters.carry import CannotCarry, Carried, RuleLine, need_every_page
from adapters.http import clean

MINUTE = 60
OTHER = re.compile(r"[^a-z0-9]+")
"""What stands in no tag."""

PAGE = "page"
"""The template that every level names."""
TEXT = "{{ owner }} is asked to take this ticket: {{ policy.name }}, {{ level.name }}."

REMARKS = (
    "A chain does not say which alerts it is for: `when` asks for a tag, which you change to what is to page.",
    "What is an acknowledgement there is here that a person takes the ticket or answers; it ends the ladder.",
    "Nobody's phone rings by an owner alone: `notify` names the channel that does it.",
)

ASKS = {
    "notify_persons": "persons_to_notify",
    "notify_person_next_each_time": "persons_to_notify_next_each_time",
}
REPEAT, REPEATS = "repeat_escalation", 5
"""The step that begins a chain anew, and how often it does so at most (`MAX_TIMES_REPEAT` in OnCall's source)."""

ELSEWHERE = "steps whose positions are not those of a whole chain"
"""What stands for the steps of a chain that a state of Terraform does not hold."""

SAYS_NOT = {
    REPEAT: "it stands before other steps, which then come five times later",
    "notify_person_next_each_time": "it takes turns among people; `round_robin` takes turns in a group",
    "notify_whole_channel": "a channel is `notify`; name it in the level",
    "trigger_webhook": "a webhook is a channel, `notify`; name it in the level",
    "trigger_action": "a webhook is a channel, `notify`; name it in the level",
    "resolve": "Uptier never changes a status",
    "declare_incident": "no level does this",
    "notify_if_time_from_to": "it goes on in some hours only; `within` names a calendar for one level",
    "notify_if_num_alerts_in_window": "it counts alerts; a policy can ask for `requester.recent_tickets`",
    ELSEWHERE: "give a state that holds the whole chain, or what the API gives",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the person said who carries over: the tag that starts a chain, the channel that rings, and which of our
    groups stands for a schedule, a team or a user group, by its id or name there."""

    tag: str = PAGE
    channel: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Ladder:
    """The levels read so far, and how many seconds after its start the chain has come."""

    lines: list[RuleLine] = field(default_factory=list)
    levels: list[tuple[int, str]] = field(default_factory=list)
    passed: int = 0

    def line(self, text: str, read: Callable[[], None]) -> None:
        """One line of the chain, and why it could not be carried over."""
        try:
            read()
        except CannotCarry as why:
            self.lines.append(RuleLine(text=clean(text), why=str(why)))
        else:
            self.lines.append(RuleLine(text=clean(text)))

    def ask(self, owner: str) -> None:
        """Somebody is asked now. Raises CannotCarry for the second at one time."""
        if self.levels and self.levels[-1][0] == self.passed:
            raise CannotCarry(
                "it comes at the same time as the step before it; of two levels due at once one fires"
            )
        self.levels.append((self.passed, owner))


def carry(export: Any, page: Page) -> tuple[Carried, ...]:
    """Every chain of an export, or of what `terraform show -json` prints. ValueError if it holds none."""
    export = _out_of_terraform(export)
    need_every_page(export)
    found = (*_grafana(export, page), *_pagerduty(export, page))
    if not found:
        raise ValueError(
            "it holds neither escalation_policies of PagerDuty's API nor the escalation chains and policies of Grafana "
            "OnCall's, nor a state of Terraform with such"
        )
    return found if len(found) == 1 else tuple(_with_tags_of_their_own(found, page.tag))


def _with_tags_of_their_own(found: Sequence[Carried], tag: str) -> Iterable[Carried]:
    """Several chains, none of which another's tag begins."""
    taken: set[str] = set()
    for rule in found:
        own = first = f"{tag}_{OTHER.sub('_', rule.title.casefold()).strip('_') or 'chain'}"
        number = 1
        while own in taken:
            number += 1
            own = f"{first}_{number}"
        taken.add(own)
        if not rule.policy:
            yield rule
            continue
        when = {**rule.policy["when"], "tags": {"has": own}}
        yield replace(rule, policy={**rule.policy, "when": when})


def _lists(export: Any, key: str) -> Iterable[Mapping[str, Any]]:
    """The rows of this name, wherever the export has them: a list, a page with `results`, several of them."""
    if isinstance(export, list):
        for each in export:
            yield from _lists(each, key)
    elif isinstance(export, Mapping):
        rows = export.get(key)
        if isinstance(rows, Mapping):
            rows = rows.get("results", [rows])
        yield from (row for row in (rows if isinstance(rows, list) else ()) if isinstance(row, Mapping))


def _bare(export: Any) -> Iterable[Mapping[str, Any]]:
    """Rows that stand in no list of a name: a page with `results`, or a list of rows."""
    if isinstance(export, Mapping):
        rows = export.get("results")
        yield from (row for row in (rows if isinstance(rows, list) else ()) if isinstance(row, Mapping))
    elif isinstance(export, list):
        for each in export:
            if isinstance(each, Mapping) and "results" in each:
                yield from _bare(each)
            elif isinstance(each, Mapping):
                yield each


# --- Grafana OnCall ----------------------------------------------------------------------------------------------


def _grafana(export: Any, page: Page) -> Iterable[Carried]:
    bare = list(_bare(export))
    steps = [row for row in (*_lists(export, "escalation_policies"), *bare) if row.get("escalation_chain_id")]
    chains = {
        str(row.get("id")): str(row.get("name") or row.get("id"))
        for row in (*_lists(export, "escalation_chains"), *bare)
        if "escalation_chain_id" not in row and "escalation_rules" not in row
    }
    people = {
        str(row.get("id")): str(row.get("email") or row.get("username"))
        for row in (*_lists(export, "users"), *bare)
        if row.get("email") or row.get("username")
    }
    names = {
        str(row.get("id")): str(row.get("name") or "")
        for key in ("schedules", "teams")
        for row in _lists(export, key)
    }
    by_chain: dict[str, list[Mapping[str, Any]]] = {}
    for step in steps:
        by_chain.setdefault(str(step["escalation_chain_id"]), []).append(step)
    for chain, found in by_chain.items():
        ladder = Ladder()
        ordered = sorted(
            found, key=lambda row: row["position"] if isinstance(row.get("position"), int) else 0
        )
        again = bool(ordered) and ordered[-1].get("type") == REPEAT
        once = ordered[:-1] if again else ordered
        for turn in range(1 + REPEATS if again else 1):
            for step in once:
                kind = str(step.get("type"))
                text = f"{kind} {_target(step)}".strip() + (f" (round {turn + 1})" if again else "")
                ladder.line(text, partial(_step, ladder, kind, step, people, names, page))
        yield _carried("escalation chain", chains.get(chain, chain), ladder, page)


def _target(step: Mapping[str, Any]) -> str:
    words = (
        "duration",
        "persons_to_notify",
        "notify_on_call_from_schedule",
        "team_to_notify",
        "group_to_notify",
    )
    return ", ".join(f"{word} {step[word]}" for word in words if step.get(word) not in (None, [], ""))


def _step(
    ladder: Ladder,
    kind: str,
    step: Mapping[str, Any],
    people: Mapping[str, str],
    names: Mapping[str, str],
    page: Page,
) -> None:
    if kind == "wait":
        duration = step.get("duration")
        if not isinstance(duration, int) or isinstance(duration, bool) or duration < 0:
            raise CannotCarry("how long is not told")
        ladder.passed += duration
    elif kind in ASKS:
        asked = step.get(ASKS[kind])
        if not isinstance(asked, list) or len(asked) != 1:
            raise CannotCarry(
                SAYS_NOT.get(kind, "a level has one owner, and this does not ask one person; name a group")
            )
        if str(asked[0]) not in people:
            raise CannotCarry(f"who {asked[0]} is does not stand in the file; add the list of users")
        ladder.ask(people[str(asked[0])])
    elif kind == "notify_on_call_from_schedule":
        number = str(step.get("notify_on_call_from_schedule"))
        ladder.ask(f"on_call({_group(page, number, names.get(number, ''))})")
    elif kind in ("notify_team_members", "notify_user_group"):
        key = "team_to_notify" if kind == "notify_team_members" else "group_to_notify"
        number = str(step.get(key))
        ladder.ask(_group(page, number, names.get(number, "")))
    else:
        raise CannotCarry(SAYS_NOT.get(kind, "what this step does is not known here"))


def _group(page: Page, number: str, name: str) -> str:
    """Our group for a schedule or team."""
    for key in (name, number):
        if key and key in page.groups:
            return page.groups[key]
    raise CannotCarry(f'say which of your groups it is: --group "{name or number}=GROUP"')


# --- PagerDuty ---------------------------------------------------------------------------------------------------


def _pagerduty(export: Any, page: Page) -> Iterable[Carried]:
    rows = [*_lists(export, "escalation_policies"), *_lists(export, "escalation_policy"), *_bare(export)]
    people = {str(row.get("id")): str(row["email"]) for row in _lists(export, "users") if row.get("email")}
    for row in rows:
        rules = row.get("escalation_rules")
        if not isinstance(rules, list):
            continue
        ladder, loops = Ladder(), row.get("num_loops")
        rounds = 1 + (loops if isinstance(loops, int) and not isinstance(loops, bool) and loops > 0 else 0)
        for turn in range(rounds):
            for rule in rules:
                if not isinstance(rule, Mapping):
                    continue
                targets = rule.get("targets")
                delay = rule.get("escalation_delay_in_minutes")
                text = f"{_named(targets)}, then {delay} minutes"
                text += f" (round {turn + 1} of {rounds})" if rounds > 1 else ""
                ladder.line(text, partial(_rule, ladder, targets, delay, people, page))
        yield _carried(
            "escalation policy", str(row.get("name") or row.get("summary") or row.get("id")), ladder, page
        )


def _named(targets: Any) -> str:
    rows = [row for row in (targets if isinstance(targets, list) else ()) if isinstance(row, Mapping)]
    return ", ".join(
        f"{row.get('type')} {row.get('summary') or row.get('name') or row.get('id')}" for row in rows
    )


def _rule(ladder: Ladder, targets: Any, delay: Any, people: Mapping[str, str], page: Page) -> None:
    if not isinstance(delay, int) or isinstance(delay, bool) or delay < 1:
        raise CannotCarry("how long it waits is not told")
    began, ladder.passed = ladder.passed, ladder.passed + delay * MINUTE
    if not isinstance(targets, list) or len(targets) != 1 or not isinstance(targets[0], Mapping):
        raise CannotCarry("a level has one owner, and this asks several at once; name a group")
    target = targets[0]
    kind, name = (
        str(target.get("type")).removesuffix("_reference"),
        str(target.get("summary") or target.get("name") or ""),
    )
    if kind == "user":
        owner = str(target.get("email") or people.get(str(target.get("id"))) or name)
        if not owner:
            raise CannotCarry(f"who {target.get('id')} is does not stand in the file")
    elif kind == "schedule":
        owner = f"on_call({_group(page, str(target.get('id')), name)})"
    else:
        raise CannotCarry(f"what a target of the kind {kind} is, is not known here")
    ladder.levels.append((began, owner))


# --- Terraform ---------------------------------------------------------------------------------------------------


def _out_of_terraform(export: Any) -> Any:
    """A state of Terraform as the APIs would give what it holds; anything else as it is. ValueError for a plan, in
    which ids are not known yet, and for the file in which Terraform keeps its state, whose form is its own."""
    if not isinstance(export, Mapping) or not {"terraform_version", "format_version"} & export.keys():
        return export
    if {"planned_values", "resources"} & export.keys():
        raise ValueError("it is Terraform's, but no state as text: give what `terraform show -json` prints")
    values = export.get("values")
    found: dict[str, list[Mapping[str, Any]]] = {}
    for kind, row in _resources(values.get("root_module") if isinstance(values, Mapping) else None):
        found.setdefault(kind, []).append(row)
    steps = [
        {key: value for key, value in row.items() if value}
        | {"position": row.get("position"), "team_to_notify": row.get("notify_to_team_members")}
        for row in found.get("grafana_oncall_escalation", ())
    ]
    listed = (row for each in found.get("grafana_oncall_users", ()) for row in each.get("users") or ())
    named = {str(row.get("id")): row for kind in PAGERDUTY_NAMES for row in found.get(kind, ())}
    return {
        "escalation_policies": [
            *(steps + _gaps(steps)),
            *(_as_of_pagerduty(row, named) for row in found.get("pagerduty_escalation_policy", ())),
        ],
        "escalation_chains": found.get("grafana_oncall_escalation_chain", []),
        "users": [*found.get("grafana_oncall_user", ()), *listed],
        "schedules": found.get("grafana_oncall_schedule", []),
        "teams": found.get("grafana_oncall_team", []),
    }


PAGERDUTY_NAMES = ("pagerduty_user", "pagerduty_schedule")


def _resources(module: Any) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """The kind and the values of each resource and data source of a module and those inside it."""
    if not isinstance(module, Mapping):
        return
    for each in module.get("resources") or ():
        if isinstance(each, Mapping) and isinstance(each.get("values"), Mapping):
            yield str(each.get("type")), each["values"]
    for inner in module.get("child_modules") or ():
        yield from _resources(inner)


def _gaps(steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A step that cannot be carried over for each chain that is not whole here: its other steps may be kept by hand."""
    by_chain: dict[str, list[Any]] = {}
    for step in steps:
        by_chain.setdefault(str(step.get("escalation_chain_id")), []).append(step["position"])
    return [
        {"escalation_chain_id": chain, "type": ELSEWHERE, "position": -1}
        for chain, places in by_chain.items()
        if sorted(str(place) for place in places) != sorted(str(place) for place in range(len(places)))
    ]


def _as_of_pagerduty(row: Mapping[str, Any], named: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A `pagerduty_escalation_policy` as the API tells one, with the names of those that it asks."""
    rules = [
        {
            "escalation_delay_in_minutes": rule.get("escalation_delay_in_minutes"),
            "targets": [
                {"summary": known.get("name"), "email": known.get("email"), **target}
                for target in rule.get("target") or ()
                for known in [named.get(str(target.get("id")), {})]
            ],
        }
        for rule in row.get("rule") or ()
    ]
    return {**row, "escalation_rules": rules}


# --- both --------------------------------------------------------------------------------------------------------


def _carried(kind: str, title: str, ladder: Ladder, page: Page) -> Carried:
    lines, title = tuple(ladder.lines), clean(title)
    if any(line.why for line in lines):
        return Carried(kind=kind, title=title, lines=lines)
    if not ladder.levels:
        return Carried(kind=kind, title=title, lines=lines, why="it asks nobody")
    policy = {
        "name": title,
        "mode": "observe",
        "clock": "matching",
        "stop_on": ["assigned", "agent_reply"],
        "when": {"status": ["new", "open", "pending", "on_hold"], "tags": {"has": page.tag}},
        "level": _levels(ladder.levels, page),
    }
    return Carried(
        kind=kind, title=title, lines=lines, policy=policy, templates={PAGE: TEXT}, remarks=REMARKS
    )


def _levels(found: Sequence[tuple[int, str]], page: Page) -> list[dict[str, Any]]:
    rings = {"notify": [page.channel]} if page.channel else {}
    return [
        {"name": f"Step {number}", "after": _span(after), "owner": owner, "note": PAGE, **rings}
        for number, (after, owner) in enumerate(found, 1)
    ]


def _span(seconds: int) -> str:
    """A duration as policies write it."""
    hours, rest = divmod(seconds, 60 * MINUTE)
    minutes, left = divmod(rest, MINUTE)
    parts = [(hours, "h"), (minutes, "m"), (left, "s")]
    return "".join(f"{many}{unit}" for many, unit in parts if many) or "0m"
