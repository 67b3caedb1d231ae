"""The names that levels use of a helpdesk, and which levels wait until they are known there (rule 12)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from policies.known import KnownAccount
from policies.owners import CALL
from policies.parse_actions import PLACES, STRATEGIES
from policies.policy import Level, PolicySet


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A level that is not enforced on an account, and why."""

    policy: str
    level: str
    why: str


def lacking(policies: PolicySet, account: str, known: KnownAccount | None) -> tuple[Waiting, ...]:
    """The levels that use names which `known`, the helpdesk's directory, does not have. None where it was not read
    within the last day: then every name is unknown."""
    own = people_of_files(policies)
    return tuple(
        Waiting(policy=policy.name, level=level.name, why=why)
        for policy in policies.serving(account)
        for level in policy.levels
        if (why := why_it_waits(level, account, known, own))
    )


def waiting_levels(policies: PolicySet, account: str, known: KnownAccount | None) -> tuple[Waiting, ...]:
    """Those of them that are to be enforced."""
    enforced = {each.name for each in policies.serving(account) if policies.mode(each, account) == "enforce"}
    return tuple(each for each in lacking(policies, account, known) if each.policy in enforced)


def holding_back(policies: PolicySet, waiting: Iterable[Waiting]) -> PolicySet:
    """The policies, with these levels waiting."""
    why = {(each.policy, each.level): each.why for each in waiting}
    if not why:
        return policies
    marked = (
        replace(
            policy,
            levels=tuple(
                replace(level, waits=why.get((policy.name, level.name), "")) for level in policy.levels
            ),
        )
        for policy in policies.policies
    )
    return replace(policies, policies=tuple(marked))


def why_it_waits(level: Level, account: str, known: KnownAccount | None, own: frozenset[str]) -> str:
    """Which names the helpdesk does not have; empty if it has all."""
    missing = list(dict.fromkeys(unknown_names(level, known or KnownAccount(), own)))
    if not missing:
        return ""
    if known is None:
        names = ", ".join(each.partition(" ")[2] for each in missing)
        return f"the directory of {account} was not read within the last 24 hours, and it names {names}"
    return f"{account} has no {', no '.join(missing)}"


def unknown_names(level: Level, known: KnownAccount, own: frozenset[str]) -> Iterator[str]:
    """Each name that a level uses and the helpdesk does not have. People that only the files know may be owners."""
    for each in level.variants:
        spec = each.assign
        if spec is not None and spec.group is not None and spec.group not in known.groups:
            yield f'group "{spec.group}"'
        if spec is not None and spec.agent not in (None, *STRATEGIES) and spec.agent not in known.people:
            yield f'agent "{spec.agent}"'
        for name in each.follow:
            yield from unknown_name(name, "agent", known.people, known)
        if each.owner is not None:
            names = known.groups | known.people | own
            yield from unknown_name(each.owner, "group or person", names, known)


def unknown_name(asked: str, what: str, names: frozenset[str], known: KnownAccount) -> Iterator[str]:
    """The name that is asked for, or the group inside a function, if the helpdesk does not have it."""
    call = CALL.fullmatch(asked)
    if call is not None and call[2] not in PLACES and call[2] not in known.groups:
        yield f'group "{call[2]}"'
    elif call is None and asked != "assignee" and asked not in names:
        yield f'{what} "{asked}"'


def people_of_files(policies: PolicySet) -> frozenset[str]:
    """Those whom the files themselves name as leads, managers and on call."""
    chain = (*policies.managers, *policies.managers.values(), *policies.leads.values())
    return frozenset({*chain, *policies.on_call.values()})
