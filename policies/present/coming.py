"""What comes next on a ticket, or has come and was only observed: what `uptier due` lists. It decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from policies.language.policy import Level
from policies.language.vocabulary import STRATEGIES
from policies.model import Instant
from policies.plan import Plan
from policies.present.explain import due_words, untold
from policies.rules.assignment import choose, owner_of, ticket_owner
from policies.rules.episode import arrived
from policies.rules.ladder import count_of, dues
from policies.rules.observe import Observation, PolicyRaised, Scene, of
from policies.state import Episode, How, Owner, latest_passed


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """The level that is to be seen to next on one ticket by one policy. `due` is when its clock reaches it; `acts`,
    when it may act, later where a calendar or a snooze keeps it waiting, None where a person or a directory does.
    `observes` says that nothing would come of it but a line; such a level is past if it was observed. `to` is who will
    own it, where that is known; `owner`, who owns the ticket until then, by a level that was enforced."""

    level: str
    due: Instant
    acts: Instant | None
    observes: bool
    why: str
    owner: str | None = None
    to: str | None = None


def coming(plan: Plan, *, held: bool = False) -> Mapping[str, Coming]:
    """What comes next, by policy, once the plan is carried out, or as long as it is `held`. A policy by which nothing
    comes is left out; where nobody can tell, `why` says so."""
    if plan.scene is None:
        raise ValueError("the plan does not know what it was made from")
    states = {each.policy: each for each in plan.standings}
    enforced = (each for each in plan.standings if each.ownership and each.ownership.enforced)
    owner = ticket_owner(tuple(enforced))
    found: dict[str, Coming] = {}
    ahead: tuple[Coming, ...]
    for one in plan.considered:
        episode = states[one.seen.policy.name].running
        if episode is None or episode.undoing:
            continue
        try:
            way = episode.under_way
            if held and way is not None:
                to = way.owner.name
                ahead = (
                    Coming(level=way.level, due=way.due, acts=way.due, observes=False, why=way.why, to=to),
                )
            else:
                ahead = of(one.seen.policy, next_of, plan.scene, one.seen, episode)
        except PolicyRaised as raised:
            mute = not plan.scene.enforces(one.seen.policy)
            lost = Coming(level="", due=plan.now, acts=None, observes=mute, why=untold(raised))
            ahead = (lost,)
        if ahead:
            first = min(ahead, key=lambda each: urgency(each, plan.now))
            found[one.seen.policy.name] = replace(first, owner=owner.name if owner else None)
    return found


def urgency(one: Coming, now: Instant) -> tuple[int, Instant]:
    """What is overdue comes first, then what waits, then what comes."""
    if one.acts is not None and one.acts <= now:
        return 0, one.acts
    return (1, one.due) if one.due <= now else (2, one.acts or one.due)


def next_of(scene: Scene, seen: Observation, episode: Episode) -> tuple[Coming, ...]:
    """The level that was only observed, if nobody answered it; then the levels ahead, each with what it waits for."""
    observes, quiet = not scene.enforces(seen.policy), scene.snoozed_until if scene.is_snoozed else None
    ahead, count, reading = arrived(episode), count_of(scene, seen), seen.reading
    found: list[Coming] = []
    latest = latest_passed(ahead)
    if latest is not None and latest.how is How.OBSERVED and (ahead.acknowledged or 0) < latest.at:
        due = latest.at if latest.due is None else latest.due
        to = latest.owner.name if latest.owner else None
        level, acts = latest.level, max(due, quiet or due)
        found.append(Coming(level=level, due=due, acts=acts, observes=observes, why=latest.why, to=to))
    # when a level would be due that waits for the helpdesk's names is asked as if it did not
    willing = replace(seen.policy, levels=tuple(replace(each, waits="") for each in seen.policy.levels))
    waits = {each.name: each.waits for each in seen.policy.levels if each.waits}
    names = {each.level for each in ahead.passed}
    ladder = dues(willing, reading, ahead, count)
    last = max((place for place, each in enumerate(ladder) if each.level.name in names), default=-1)
    holder = ahead.owner
    for each in ladder[last + 1 :]:
        holder = owner_then(scene, each.level, seen.policy.clock, holder)
        if each.at is None or each.reached is None:
            continue
        name, why = each.level.name, due_words(each, willing, reading, ahead, count)
        free: Instant | None = max(each.opens or each.at, quiet or 0)
        if name in waits:
            free, why = None, f"{why}; waits: {waits[name]}"
        elif name in ahead.asked_for - ahead.approved:
            free, why = None, f"{why}; {'would wait' if observes else 'waits'} for approval"
        elif quiet is not None:
            why = f"{why}; snoozed"
        found.append(
            Coming(level=name, due=each.reached, acts=free, observes=observes, why=why, to=holder.name)
        )
    return tuple(found)


def owner_then(scene: Scene, level: Level, clock: str, before: Owner | None) -> Owner:
    """Who would own the ticket with this level, as things stand; the group, where a strategy chooses among its people
    only then. `before` is the owner until then."""
    ticket, assign = scene.ticket, level.assign
    if assign is not None and assign.agent in STRATEGIES:
        assign = replace(assign, agent=None)
    if assign is not None and (made := choose(assign, ticket, scene.directory, clock).assign):
        ticket = replace(ticket, group=made.group, assignee=made.assignee)
    return owner_of(level, ticket, before, scene.directory, scene.policies.default_owner).owner
