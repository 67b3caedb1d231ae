"""A policy in plain English: whom it is for, what it counts, and its ladder, for people who read no TOML."""

from collections.abc import Mapping
from dataclasses import dataclass

from policies.policy import Level, Policy, PolicySet
from policies.words_conditions import unless_words, when_words
from policies.words_levels import approval, changes, channels, closed_hours, owner, roles, says, target
from policies.words_times import calendar, clock, due, repeated

STOPS: Mapping[str, str] = {
    "agent_reply": "an agent replies",
    "acknowledged": "an agent acknowledges it",
    "assigned": "a person changes the assignee",
    "customer_message": "the requester writes",
}

BY_HAND = ("taking the ticket", "a reply or a note")
"""How every escalation is acknowledged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelWords:
    """One level. What a level does not have is an empty text, or empty. `kind` is the policy language's word. `roles`
    are those on whose desk it lands: `agent`, `lead`, `manager`, `on-call`, or the name of a group or person."""

    name: str
    kind: str
    time: str
    owner: str
    roles: tuple[str, ...]
    target: str
    changes: tuple[str, ...]
    messages: tuple[str, ...]
    channels: tuple[str, ...]
    ask: str
    checklist: tuple[str, ...]
    approval: str
    repeat: str
    closed_hours: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWords:
    """One policy. All of `when` must hold; any of `unless` leaves the ticket out. `calendar` is a name, empty without
    one, `hours` what it says. `stops` is what ends an escalation, `acknowledge` by what an agent takes it on."""

    name: str
    when: tuple[str, ...]
    unless: tuple[str, ...]
    clock: str
    calendar: str
    hours: str
    stops: tuple[str, ...]
    acknowledge: tuple[str, ...]
    levels: tuple[LevelWords, ...]


def in_words(policy: Policy, policies: PolicySet) -> PolicyWords:
    """The policy as one of a checked set, which knows its calendars, templates and channels."""
    spec = policies.calendars[policy.calendar] if policy.calendar else None
    return PolicyWords(
        name=policy.name,
        when=when_words(policy.when),
        unless=unless_words(policy.unless),
        clock=clock(policy),
        calendar=policy.calendar or "",
        hours=calendar(spec),
        stops=stops(policy),
        acknowledge=acknowledgements(policy),
        levels=tuple(
            level_words(policy, index, level, policies) for index, level in enumerate(policy.levels)
        ),
    )


def level_words(policy: Policy, index: int, level: Level, policies: PolicySet) -> LevelWords:
    """One level of the policy."""
    return LevelWords(
        name=level.name,
        kind=level.kind,
        time=due(policy, index),
        owner=owner(level),
        roles=roles(level),
        target=target(level.assign),
        changes=changes(level),
        messages=says(level, policies),
        channels=channels(level, policies),
        ask=level.ask or "",
        checklist=level.checklist,
        approval=approval(level, policies),
        repeat=repeated(policy, level),
        closed_hours=closed_hours(level),
    )


def stops(policy: Policy) -> tuple[str, ...]:
    """What ends an escalation of this policy, in the order of the language."""
    over = "the ticket is closed" if policy.when.asks_solved else "the ticket is solved or closed"
    said = tuple(words for word, words in STOPS.items() if word in policy.stop_on)
    return (over, "the ticket no longer matches", *said)


def acknowledgements(policy: Policy) -> tuple[str, ...]:
    """By what an agent acknowledges a level that has fired (rule 10)."""
    tagged = tuple(f"adding the tag {tag}" for tag in sorted(policy.acknowledge_tags))
    return (*BY_HAND, *tagged)
