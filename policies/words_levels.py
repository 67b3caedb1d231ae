"""What a level does, in plain English: its owner, whom it assigns, what it changes, and what is said to whom."""

import re
from collections.abc import Mapping

from policies.policy import AssignSpec, ChannelSpec, Level, PolicySet, TemplateSpec
from policies.problems import listed

FUNCTIONS: Mapping[str, str] = {
    "assignee": "the assignee",
    "lead_of(group)": "the lead of the ticket's group",
    "lead_of(assignee)": "the lead of the assignee's group",
    "manager_of(assignee)": "the manager of the assignee",
    "manager_of(owner)": "the manager of the owner before",
}
"""Owners that depend on the ticket, as a policy writes them."""

ON_CALL = re.compile(r"on_call\((.+)\)")
STRATEGIES: Mapping[str, str] = {
    "round_robin": "the member of {group} whose turn it is",
    "least_loaded": "the least loaded member of {group}",
    "on_call": "whoever is on call for {group}",
}


def owner(level: Level) -> str:
    """Who answers from here on."""
    if level.owner is None:
        return "whoever gets the ticket" if level.assign else "the owner before, else the default owner"
    call = ON_CALL.fullmatch(level.owner)
    if call is not None:
        return f"whoever is on call for {call[1]}"
    return FUNCTIONS.get(level.owner, level.owner)


def role(name: str | None, assign: AssignSpec | None) -> str:
    """What kind of person answers: `agent`, `lead`, `manager`, `on-call`, a name, or nothing for the owner before."""
    if name is None:
        named = assign is not None and assign.agent is None
        return (assign.group or "") if assign and named else ("agent" if assign else "")
    if name == "assignee":
        return "agent"
    function = name.partition("(")[0] if name in FUNCTIONS or ON_CALL.fullmatch(name) else ""
    return {"lead_of": "lead", "manager_of": "manager", "on_call": "on-call"}.get(function, name)


def roles(level: Level) -> tuple[str, ...]:
    """Everybody on whose desk the level lands: who answers, who gets the ticket, and both in closed hours."""
    found = []
    for each in level.variants:
        found.append(role(each.owner, each.assign))
        if each.assign is not None:
            named = each.assign.agent if each.assign.agent not in STRATEGIES else None
            found.append(named or each.assign.group or "agent")
    return tuple(dict.fromkeys(each for each in found if each))


def target(assign: AssignSpec | None) -> str:
    """Whom the ticket goes to; nothing if it stays where it is."""
    if assign is None:
        return ""
    if assign.agent is None:
        return f"group {assign.group}"
    if assign.agent in STRATEGIES:
        said = STRATEGIES[assign.agent].format(group=assign.group or "the ticket's group")
        return said + skilled(assign.skill)
    return f"{assign.agent} in {assign.group}" if assign.group else assign.agent


def skilled(skill: str | None) -> str:
    """The skill that is asked for."""
    if skill is None:
        return ""
    return ", with the skills that the tags name" if skill == "by_tag" else f", with skill {skill}"


def changes(level: Level) -> tuple[str, ...]:
    """What else the ticket looks like afterwards."""
    said = [
        f"priority at least {level.priority}" if level.priority else "",
        f"tagged {listed(sorted(level.tags), 'and')}" if level.tags else "",
        f"no longer tagged {listed(sorted(level.untag))}" if level.untag else "",
        *(f"{name} is {value}" for name, value in level.set),
        f"followed by {listed(level.follow, 'and')}" if level.follow else "",
    ]
    return tuple(each for each in said if each)


def says(level: Level, policies: PolicySet) -> tuple[str, ...]:
    """The messages that the level writes, each with its languages."""
    said = [
        f"note {template(policies.templates, level.note)}" if level.note else "",
        f"public reply {template(policies.templates, level.reply)}" if level.reply else "",
        "hand-over: what the ticket is about and what was tried" if level.hand_off else "",
    ]
    return tuple(each for each in said if each)


def template(templates: Mapping[str, TemplateSpec], name: str) -> str:
    """A template by name, with its languages."""
    return f'"{name}" ({", ".join(templates[name].bodies)})'


def channel(spec: ChannelSpec, templates: Mapping[str, TemplateSpec]) -> str:
    """A channel, what it hears, and when it is quiet."""
    text = template(templates, spec.template) if spec.template else "a built sentence"
    quiet = f", quiet while {spec.quiet} is closed" if spec.quiet else ""
    return f"{spec.name}: {text}{quiet}"


def channels(level: Level, policies: PolicySet) -> tuple[str, ...]:
    """The channels that hear of the level."""
    return tuple(channel(policies.channels[name], policies.templates) for name in level.notify)


def approval(level: Level, policies: PolicySet) -> str:
    """Whether a person must approve it first, and what asks them; nothing if nobody must."""
    if level.approval is None:
        return ""
    asked = [f"note {template(policies.templates, level.approval.note)}"] if level.approval.note else []
    asked += [f"channel {name}" for name in level.approval.notify]
    return f"asked by {listed(asked, 'and')}" if asked else "asked in the list of what needs a human"


def closed_hours(level: Level) -> str:
    """What happens while the level's calendar is closed; nothing if the level keeps no hours."""
    if level.within is None:
        return ""
    if level.otherwise is None:
        return f"waits while {level.within} is closed"
    return f"while {level.within} is closed: {', '.join(instead(level, level.otherwise)) or 'the same'}"


def instead(level: Level, other: Level) -> list[str]:
    """The parts of a level that are otherwise in closed hours."""
    parts = []
    if other.owner != level.owner:
        parts.append(f"owner is {owner(other)}")
    if other.assign != level.assign:
        parts.append(f"goes to {target(other.assign)}")
    if other.note != level.note:
        parts.append(f'note "{other.note}"')
    if other.notify != level.notify:
        parts.append(f"notifies {listed(other.notify, 'and')}")
    return parts
