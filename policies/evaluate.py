"""Evaluate policies on one ticket: a plan of what to do now, from values only (all of policy-rules.md)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from policies.language.policy import Policy, PolicySet, is_there
from policies.language.vocabulary import SILENCED
from policies.model import FROM_HELPDESK, Directory, Instant, Need, Order, Seconds, Ticket
from policies.plan import Failed, LeftOut, Occurrence, Plan, Wanted
from policies.rules import undo
from policies.rules.assignment import reasons_of, ticket_owner
from policies.rules.calendars import Calendar
from policies.rules.episode import advance, closed_off, ended_line, has_passed
from policies.rules.ladder import decide, next_time
from policies.rules.merge import ProposedActions, agree, merge, propose, spoken
from policies.rules.observe import Observation, PolicyRaised, Scene, could_hold, decided_by, observe, of
from policies.rules.orders import obey
from policies.rules.outcomes import Considered, next_owner, next_state, owner_moved
from policies.rules.own_writes import with_hidden
from policies.state import Episode, Standing, changed

RUNS_NOW: Mapping[str, Instant] = {}
TAKEN_BACK_BY: Seconds = 10
"""After which time it is looked whether what is being taken back stands, if nothing happens before."""

FAILED_AGAIN: Seconds = 600
"""After which time a policy that raised is tried again, if nothing happens to the ticket before."""


def evaluate(
    ticket: Ticket,
    policies: PolicySet,
    standings: tuple[Standing, ...],
    directory: Directory,
    calendars: Mapping[str, Calendar],
    now: Instant,
    first_ran: Mapping[str, Instant] = RUNS_NOW,
    orders: tuple[Order, ...] = (),
    past: tuple[Episode, ...] = (),
) -> Plan:
    """The plan for this ticket as it was read, with what is remembered of it.

    Acts must be recognised (`policies.history`). `first_ran` says since when each policy has run on the ticket's
    account, for `backlog = "skip"`; a policy it does not name runs for the first time now. `orders` are what
    people ordered since the last look, `past` the episodes and undos that one to undo may mean. A policy that raises is
    taken out and said by name; its standing stays as it was, and the others are evaluated without it.
    """
    snoozes = (each.snoozed_until for each in standings)
    ticket = with_hidden(ticket)
    away = None if ticket.assignee is None else not is_there(ticket.assignee.label, directory)
    if ticket.assignee_away is not away or Need.AVAILABILITY not in ticket.loaded:
        ticket = replace(ticket, assignee_away=away, loaded=ticket.loaded | {Need.AVAILABILITY})
    scene = Scene(
        ticket=ticket,
        policies=policies,
        directory=directory,
        calendars=calendars,
        now=now,
        first_ran=first_ran,
        orders=orders,
        past=past,
        snoozed_until=max((until for until in snoozes if until is not None), default=None),
    )
    failed: dict[str, Failed] = {}
    while True:
        try:
            return planned(scene, standings, failed)
        except PolicyRaised as raised:
            cause = raised.__cause__
            failed[raised.policy] = Failed(policy=raised.policy, error=f"{type(cause).__name__}: {cause}")


def planned(scene: Scene, standings: tuple[Standing, ...], failed: Mapping[str, Failed]) -> Plan:
    """The plan of all policies but those that raised, which are said, remembered as they were, and tried again."""
    ticket, now = scene.ticket, scene.now
    asked_back = [each for each in scene.orders if each.verb == "undo"]
    begun = undo.begin(scene, standings) if asked_back else undo.Begun(standings=standings)
    standings = begun.standings
    scene = replace(scene, taking_back=any(each.undo is not None for each in standings))
    serving = () if ticket.gone else scene.policies.serving(ticket.ref.account)
    serving = tuple(each for each in serving if each.name not in failed)
    known = {each.policy: each for each in standings}
    held = tuple(known.get(policy.name) or Standing(policy=policy.name) for policy in serving)
    names = {policy.name for policy in serving} | failed.keys()
    others = tuple(each for each in standings if each.policy not in names)

    # 1. Observe: what each policy sees of the ticket, its own writes hidden; its conditions and its clock.
    observed = [of(policy, observe, scene, policy, one) for policy, one in zip(serving, held, strict=True)]

    # 2. Advance the episodes: they begin, go on or end, by what is seen, and by what people ordered.
    obeyed = obey(scene, [of(each.policy, advance, scene, each) for each in observed])
    closed = [closed_off(scene, each, "gone" if ticket.gone else "removed") for each in others]
    if obeyed.snoozed_until != scene.snoozed_until:
        scene = replace(scene, snoozed_until=obeyed.snoozed_until)

    if (sole := exclusive(scene, obeyed.seen, standings, failed)) is not None:
        scene = replace(scene, exclusive=sole)

    # 3. Find the due step of each ladder: one level fires, asks, makes up for something, or is said again.
    climbing = ((each, each.state.running) for each in obeyed.seen)
    decisions = [of(each.policy, decide, scene, each, episode) for each, episode in climbing if episode]

    # 4. Merge what the levels propose, and find who answers for it.
    sending = ((each, each.sends) for each in decisions)
    proposed = [of(each.policy, propose, scene, each, level) for each, level in sending if level]
    agreed = agree(proposed)
    owners = {each.policy.name: of(each.policy, next_owner, scene, each, agreed) for each in decisions}
    told = [of(each.decision.policy, spoken, scene, each, owners[each.policy]) for each in proposed]
    merged = merge(ticket, proposed, agreed, [wanted for words, _ in told for wanted in words])

    # 5. The next state of each policy, and when time alone could change the answer. A de-escalated episode has what it
    # wrote restored, one at a time, once no policy has anything to do.
    nothing_yet = not merged.wanted and not scene.taking_back
    restoring = next((each for each in decisions if nothing_yet and each.seen.restores), None)
    asking, decided = {each.policy: each for each in proposed}, {each.policy.name: each for each in decisions}
    times: list[Instant | None] = [now + FAILED_AGAIN if failed else None]
    considered, remembered = list[Considered](), list[Standing]()
    for seen in obeyed.seen:
        policy, name, step = seen.policy, seen.policy.name, decided.get(seen.policy.name)
        one = Considered(seen=seen, state=seen.state)
        if step is not None:
            asks, last = asking.get(name), step is restoring
            one = of(policy, next_state, scene, step, owners[name], merged, asks, restores=last)
            if one.state.running is not None:
                times.append(of(policy, next_time, scene, step, one.state.running))
        considered.append(one)
    snoozed = scene.snoozed_until
    raised = (each for each in standings if each.policy in failed)
    states = (*(each.state for each in considered), *(state for state, _ in closed), *raised)
    going = undo.go_on(scene, states) if scene.taking_back else undo.GoingOn(standings=states)
    if any(each.undo is not None for each in going.standings):
        times.append(now + TAKEN_BACK_BY)
    for state in (each for each in going.standings if each.policy not in failed):
        episode = changed(state.running, snoozed_until=snoozed) if state.running else state.episode
        remembered.append(changed(state, snoozed_until=snoozed, episode=episode))

    # What all of that comes to.
    lost = [episode for _, episode in closed if episode is not None]
    left = [one for each in proposed for one in each.left_out]
    left += [one for each in obeyed.seen for one in each.left_out]
    said = [*begun.said, *(line for each in considered for line in (*each.seen.said, *each.said))]
    said += (*obeyed.said, *going.said, *(ended_line(episode) for episode in lost if has_passed(episode)))
    said += beside(now, proposed, obeyed.seen, merged.overruled, left)
    said += would_overrule(scene, proposed, obeyed.seen)
    said += owner_moved((*held, *others), tuple(remembered), now)
    undoes = restoring and [
        Wanted(action=each, episodes=(restoring.episode.key,)) for each in restoring.seen.restores
    ]
    return Plan(
        ref=ticket.ref,
        revision=ticket.revision,
        now=now,
        wanted=going.wanted or merged.wanted or tuple(undoes or ()),
        left_out=(*merged.overruled, *merged.unmade, *left),
        standings=(*remembered, *(each for each in going.standings if each.policy in failed)),
        occurrences=tuple(said),
        next_look=min((at for at in times if at is not None), default=None),
        owner=ticket_owner(tuple(remembered)),
        ended=(*begun.kept, *(episode for each in obeyed.seen for episode in each.ended), *lost),
        served=agreed.served,
        warnings=(*alarms(ticket, proposed, told, considered), *(each.text for each in failed.values())),
        failed=tuple(failed.values()),
        exclusive=scene.exclusive.key if scene.exclusive else "",
        considered=tuple(considered),
        scene=scene,
    )


def exclusive(
    scene: Scene,
    seen: Sequence[Observation],
    standings: Iterable[Standing],
    failed: Mapping[str, Failed],
) -> Episode | None:
    """The running episode of the first enforced policy that is exclusive. One that raised is as it was."""
    ours = [each for each in scene.policies.policies if each.exclusive and scene.enforces(each)]
    if not ours:
        return None
    running = {each.policy.name: each.state.running for each in seen}
    running |= {each.policy: each.running for each in standings if each.policy in failed}
    return next((episode for each in ours if (episode := running.get(each.name)) is not None), None)


STRANGERS = (
    "the bot's user did something here that Uptier has no receipt for; give Uptier a user of its own, and change the "
    "secret if nobody else should have it"
)
"""The alarm about a bot's user that somebody else uses too (rule 11): always the same words, to be said once."""


def alarms(
    ticket: Ticket,
    proposed: Sequence[ProposedActions],
    told: Sequence[tuple[tuple[Wanted, ...], tuple[str, ...]]],
    considered: Sequence[Considered],
) -> Iterator[str]:
    """What the operator is warned of: assignments that are not as asked for, people nobody knows, and strangers."""
    for each in proposed:
        if each.chosen is not None and each.chosen.remark:
            yield f'policy "{each.policy}", level "{each.level.name}": {each.chosen.remark}'
    yield from (warning for _, warnings in told for warning in warnings)
    yield from (warning for one in considered for warning in one.warnings)
    acts = [*(each.act for each in ticket.messages), *(each.act for each in ticket.changes)]
    if any(each.unreceipted for each in acts):
        yield STRANGERS


def beside(
    now: Instant,
    proposed: Sequence[ProposedActions],
    seen: Sequence[Observation],
    overruled: Sequence[LeftOut],
    left_out: Sequence[LeftOut],
) -> Iterator[Occurrence]:
    """The ledger lines of what is not done, a proposal that lost against an earlier policy or what cannot be done, and
    of why this person and not the others."""
    episodes = {each.policy.name: each.state.episode for each in seen}
    for what, parts in (("overruled", overruled), ("left out", left_out)):
        for part in parts:
            episode = episodes[part.policy]
            yield Occurrence(
                what=what,
                policy=part.policy,
                episode=episode.key if episode else "",
                level=part.level or None,
                at=now,
                text=f"{part.what}: {part.why}",
            )
    for each in proposed:
        if each.chosen is not None and (each.chosen.why or each.chosen.passed_over):
            yield Occurrence(
                what="chosen",
                policy=each.policy,
                episode=each.episode,
                level=each.level.name,
                at=now,
                text=reasons_of(each.chosen),
            )


def could_matter(snapshot: Ticket, policies: PolicySet, standings: tuple[Standing, ...]) -> bool:
    """False only if no policy can match this row, none runs on the ticket, and none need be told so.

    A policy that matched at its last look must learn that it no longer does; one with `backlog = "skip"` must
    see the ticket once, to know what was there before it. A row rules out by all that it tells, and never by what it
    hides or what has not been loaded.
    """
    if any(each.running is not None or each.matched for each in standings):
        return True
    if snapshot.gone:
        return any(each.looked for each in standings)
    looked = {each.policy for each in standings if each.looked}
    for policy in policies.serving(snapshot.ref.account):
        if could_hold(policy, snapshot) or (policy.backlog == "skip" and policy.name not in looked):
            return True
    return False


def is_known(
    snapshot: Ticket, policies: PolicySet, standings: tuple[Standing, ...], lacks: frozenset[str]
) -> bool:
    """Whether each policy that could match this ticket, or runs on it, can be judged by what is loaded of it and
    without what it `lacks`, in the words of `Ticket.hidden`."""
    running = {each.policy for each in standings if each.running is not None}
    account = snapshot.ref.account
    concerned = (
        each for each in policies.serving(account) if each.name in running or could_hold(each, snapshot)
    )
    return all(
        each.needs & FROM_HELPDESK <= snapshot.loaded
        and lacks.isdisjoint(decided_by(each, policies, account))
        for each in concerned
    )


Kept = Literal["nowhere", "with us", "at the helpdesk"]
"""Where something may stand that has changed."""

OURS = frozenset({Need.RECENT, Need.AVAILABILITY})
"""What moves while a ticket stands still, and stands with us."""


def may_have_moved(snapshot: Ticket, before: Ticket, policies: PolicySet) -> Kept:
    """Where something may have moved, since the ticket was looked at as it was `before` in the same revision, that a
    policy which could match this row reads and that the row does not tell. A target is told where the row has the
    same."""
    account, untold = snapshot.ref.account, snapshot.hidden
    if not snapshot.targets or snapshot.targets != before.targets:
        untold = untold | {"targets"}
    concerned = [each for each in policies.serving(account) if could_hold(each, snapshot)]
    if any(
        Need.RATING in each.needs or not untold.isdisjoint(decided_by(each, policies, account))
        for each in concerned
    ):
        return "at the helpdesk"
    return "nowhere" if all(OURS.isdisjoint(each.needs) for each in concerned) else "with us"


def would_overrule(
    scene: Scene, proposed: Sequence[ProposedActions], seen: Sequence[Observation]
) -> Iterator[Occurrence]:
    """The ledger lines of what a policy that is exclusive, and only observes, would keep the others from."""
    observing = ((each.policy, each.state.running) for each in seen if each.policy.exclusive)
    first = next(((one, episode) for one, episode in observing if episode), None)
    if scene.exclusive is not None or first is None or scene.enforces(first[0]):
        return
    for each in proposed if not scene.taking_back else ():
        parts = () if each.is_repeat else (part for part in SILENCED if getattr(each.level, part))
        for part in parts:
            yield Occurrence(
                what="would overrule",
                policy=first[0].name,
                episode=first[1].key,
                at=scene.now,
                text=f'{part} of policy "{each.policy}", level "{each.level.name}"',
            )


QUIET = frozenset({"started", "ended", "owner", "skipped", "acknowledged"})
"""What happens to an episode while no level of it does anything."""


def is_quiet(plan: Plan) -> bool:
    """Whether no level does anything: nothing is wanted, or said but that an episode began, goes on or ends."""
    return not plan.wanted and all(each.what in QUIET for each in plan.occurrences)


def likely_due(snapshot: Ticket, policies: PolicySet) -> Instant | None:
    """When the first level of any policy that could match this row may be due, as far as the row tells: a guess to
    order work by, counted day and night from the row's own stamps. None where no policy could match."""
    serving = policies.serving(snapshot.ref.account)
    holding = (each for each in serving if could_hold(each, snapshot))
    return min((first_due(each, snapshot) for each in holding), default=None)


def first_due(policy: Policy, snapshot: Ticket) -> Instant:
    """When its first level may be due: from the deadline where the row tells one, else from creation or from the last
    change."""
    level = policy.levels[0]
    told = (each.due for each in snapshot.targets if each.metric == policy.clock and each.due is not None)
    deadline = min(told, default=None)
    if deadline is not None:
        return deadline - (level.before or 0) + (level.after or 0)
    began = snapshot.created if policy.clock == "created" else snapshot.updated
    return began + (level.after or 0)
