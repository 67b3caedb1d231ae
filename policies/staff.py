"""What the config knows of the people who get tickets: absences, who stands in, how much one can take, skills."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from policies.model import Agent, Directory, Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """From the first second of a day to the last of another, as local dates and as instants (half-open)."""

    begins: Instant
    ends: Instant
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """By label. `caps` are open tickets."""

    absences: Mapping[str, tuple[Absence, ...]] = field(default_factory=dict)
    substitutes: Mapping[str, str] = field(default_factory=dict)
    caps: Mapping[str, int] = field(default_factory=dict)
    skills: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def away(self, now: Instant) -> Mapping[str, str]:
        """Who is absent now, and until when, in words."""
        return {
            label: f"absent until {each.until}"
            for label, absences in self.absences.items()
            for each in absences
            if each.begins <= now < each.ends
        }


def with_staff(directory: Directory, staff: Staff, now: Instant) -> Directory:
    """The directory with what the config knows of its people now. An absence of the config wins."""
    away = staff.away(now)
    agents = tuple(informed(agent, staff, away) for agent in directory.agents)
    return replace(directory, agents=agents, substitutes=staff.substitutes, away=away)


def informed(agent: Agent, staff: Staff, away: Mapping[str, str]) -> Agent:
    """One agent with what the config says under their address or name."""
    names = (agent.person.address or agent.person.name, agent.person.name)
    skills = frozenset[str]().union(*(staff.skills.get(name, frozenset()) for name in names))
    cap = next((staff.caps[name] for name in names if name in staff.caps), None)
    absent = next((away[name] for name in names if name in away), None)
    if absent is not None:
        return replace(agent, available=False, why_away=absent, cap=cap, skills=skills)
    return replace(agent, cap=cap, skills=skills)


def stand_in(label: str, directory: Directory) -> tuple[str, ...]:
    """Who is asked in this one's place, in turn, up to the first who is there; empty if nobody stands in. Nobody is
    asked twice, so a circle ends."""
    asked: list[str] = []
    at = directory.substitutes.get(label)
    while at is not None and at != label and at not in asked:
        asked.append(at)
        if is_there(at, directory):
            return tuple(asked)
        at = directory.substitutes.get(at)
    return ()


def is_there(label: str, directory: Directory) -> bool:
    """Whether this person can be given work or be the owner now."""
    agent = directory.agent(label)
    if agent is None:
        return label not in directory.away
    return agent.active and agent.available is not False
