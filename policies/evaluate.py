"""Evaluate policies on one ticket: a plan of what to do now, from values only (all of policy-rules.md)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from policies.language.policy import Policy, PolicySet, is_there
from policies.model import Directory, Instant, Need, Order, Seconds, Status, Ticket
from policies.plan import Failed, LeftOut, Occurrence, Plan, PolicyTrace, Wanted
from policies.rules.assignment import Named, reasons_of, ticket_owner
from policies.rules.calendars import Calendar
from policies.rules.episode import closed_off, ended_line, has_passed, live, look
from policies.rules.ladder import Turn, next_time, turn
from policies.rules.merge import Agreed, Merged, Wish, agree, merge, wish
from policies.rules.orders import obey
from policies.rules.outcomes import Conclusion, conclude, owned, owner_moved
from policies.rules.own_writes import with_hidden
from policies.rules.scene import PolicyRaised, Scene, could_hold, of
from policies.rules.trace import told, trace
from policies.state import Owner, Standing

RUNS_NOW: Mapping[str, Instant] = {}
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
) -> Plan:
    """The plan for this ticket as it was read, with what is remembered of it.

    Acts must be recognised (`policies.history`). `first_ran` says since when each policy has run on the ticket's
    account, for `backlog = "skip"`; a policy it does not name runs for the first time now. `orders` are what
    people ordered since the last look. A policy that raises is taken out and said by name; its standing stays as it
    was, and the others are evaluated without it.
    """
    snoozes = (each.snoozed_until for each in standings)
    scene = Scene(
        ticket=with_availability(with_hidden(ticket), directory),
        policies=policies,
        directory=directory,
        calendars=calendars,
        now=now,
        first_ran=first_ran,
        orders=orders,
        snoozed_until=max((until for until in snoozes if until is not None), default=None),
    )
    failed: dict[str, Failed] = {}
    while True:
        try:
            return without_failed(planned(scene, standings, failed), standings, failed)
        except PolicyRaised as raised:
            cause = raised.__cause__
            failed[raised.policy] = Failed(policy=raised.policy, error=f"{type(cause).__name__}: {cause}")


def without_failed(plan: Plan, standings: tuple[Standing, ...], failed: Mapping[str, Failed]) -> Plan:
    """The plan with the policies that raised: said, remembered as they were, and tried again."""
    if not failed:
        return plan
    kept = tuple(each for each in standings if each.policy in failed)
    again = plan.now + FAILED_AGAIN
    return replace(
        plan,
        standings=(*plan.standings, *kept),
        failed=tuple(failed.values()),
        next_look=again if plan.next_look is None else min(again, plan.next_look),
        warnings=(*plan.warnings, *(each.text for each in failed.values())),
    )


def with_availability(ticket: Ticket, directory: Directory) -> Ticket:
    """The ticket with what the directory tells of its assignee's presence."""
    label = ticket.assignee.label if ticket.assignee else None
    away = None if label is None else not is_there(label, directory)
    return replace(ticket, assignee_away=away, loaded=ticket.loaded | {Need.AVAILABILITY})


def planned(scene: Scene, standings: tuple[Standing, ...], failed: Mapping[str, Failed]) -> Plan:
    """The plan of all policies but those that raised."""
    ticket = scene.ticket
    serving = () if ticket.gone else scene.policies.serving(ticket.ref.account)
    serving = tuple(each for each in serving if each.name not in failed)
    known = {each.policy: each for each in standings}
    held = [known.get(policy.name, Standing(policy=policy.name)) for policy in serving]
    names = {policy.name for policy in serving} | failed.keys()
    others = tuple(each for each in standings if each.policy not in names)
    before = (*held, *others)
    looks = [of(policy, look, scene, policy, one) for policy, one in zip(serving, held, strict=True)]
    obeyed = obey(scene, looks)
    scene = replace(scene, snoozed_until=obeyed.snoozed_until)
    turns = [of(each.policy, turn, scene, each) for each in obeyed.looks]
    wishes = tuple(
        of(each.look.policy, wish, scene, each, each.sends) for each in turns if each.sends is not None
    )
    asking = {each.policy: each for each in wishes}
    agreed = agree(wishes)
    owners = {each.look.policy.name: of(each.look.policy, owned, scene, each, agreed) for each in turns}
    said = [of(each.turn.look.policy, told, scene, each, answering(each, owners)) for each in wishes]
    merged = merge(ticket, wishes, agreed, tuple(w for wanted, _ in said for w in wanted))
    restoring = None if merged.wanted else next((each for each in turns if each.look.restores), None)
    done = [concluded(scene, each, owners, merged, asking, restores=each is restoring) for each in turns]
    closed = [closed_off(scene, each, "gone" if ticket.gone else "removed") for each in others]
    after = (*(each.standing for each in done), *(standing for standing, _ in closed))
    after = tuple(quieted(each, scene.snoozed_until) for each in after)
    lost = [episode for _, episode in closed if episode is not None]
    left = (
        *(x for each in wishes for x in each.left_out),
        *(x for each in turns for x in each.look.left_out),
    )
    return Plan(
        ref=ticket.ref,
        revision=ticket.revision,
        now=scene.now,
        wanted=merged.wanted or put_back(restoring),
        left_out=(*merged.left_out, *unmade(wishes), *left),
        standings=after,
        occurrences=(
            *(line for each in done for line in each.said),
            *obeyed.said,
            *(ended_line(episode) for episode in lost if has_passed(episode)),
            *(line_of_left("overruled", each, scene, turns) for each in merged.left_out),
            *(line_of_left("left out", each, scene, turns) for each in left),
            *(line for each in wishes for line in choice(each, scene)),
            *owner_moved(before, after, scene.now),
        ),
        trace=tuple(traced(scene, each, wishes) for each in done),
        next_look=next_look(scene, done),
        owner=ticket_owner(after),
        ended=(*(episode for each in turns for episode in each.look.ended), *lost),
        served=served(agreed),
        warnings=(
            *(remark(each) for each in wishes if each.chosen is not None and each.chosen.remark),
            *(warning for _, warnings in said for warning in warnings),
            *(warning for each in done for warning in each.warnings),
            *strangers(ticket),
        ),
    )


def strangers(ticket: Ticket) -> tuple[str, ...]:
    """The alarm about a bot's user that somebody else uses too (rule 11): always the same words, to be said once."""
    acts = (*(each.act for each in ticket.messages), *(each.act for each in ticket.changes))
    if not any(act.unreceipted for act in acts):
        return ()
    said = "the bot's user did something here that Uptier has no receipt for"
    return (f"{said}; give Uptier a user of its own, and change the secret if nobody else should have it",)


def concluded(
    scene: Scene,
    turn: Turn,
    owners: Mapping[str, Named | None],
    merged: Merged,
    asking: Mapping[str, Wish],
    *,
    restores: bool,
) -> Conclusion:
    """What the plan leaves behind in one policy's memory."""
    policy = turn.look.policy
    named, asked = owners[policy.name], asking.get(policy.name)
    return of(policy, conclude, scene, turn, named, merged, asked, restores=restores)


def traced(scene: Scene, done: Conclusion, wishes: tuple[Wish, ...]) -> PolicyTrace:
    """All that was considered for one policy."""
    policy, notes = done.turn.look.policy, notes_of(done, wishes)
    return of(policy, trace, done.turn, live(done.standing), notes, scene.snoozed_until)


def quieted(standing: Standing, until: Instant | None) -> Standing:
    """The standing with the ticket's snooze, which its running episode shows too."""
    if standing.snoozed_until != until:
        standing = replace(standing, snoozed_until=until)
    episode = live(standing)
    if episode is None or episode.snoozed_until == until:
        return standing
    return replace(standing, episode=replace(episode, snoozed_until=until))


def notes_of(done: Conclusion, wishes: tuple[Wish, ...]) -> tuple[str, ...]:
    """What explain adds to a policy: warnings, and whom it chose and why."""
    chosen = (each.chosen for each in wishes if each.policy == done.turn.look.policy.name)
    told = (reasons_of(each) for each in chosen if each is not None)
    return (*done.warnings, *(text for text in told if text))


def put_back(restoring: Turn | None) -> tuple[Wanted, ...]:
    """What a de-escalated episode wants restored, one at a time; it waits while any policy has something to do."""
    if restoring is None or restoring.episode is None:
        return ()
    key = restoring.episode.key
    return tuple(Wanted(action=each, episodes=(key,)) for each in restoring.look.restores)


def answering(wish: Wish, owners: Mapping[str, Named | None]) -> Owner:
    """Who answers for what is said: the level's new owner, or for a repeat the episode's."""
    named, episode = owners[wish.policy], wish.turn.episode
    held = named.owner if named else episode.owner if episode else None
    return held or Owner(name="nobody", kind="name")


def unmade(wishes: tuple[Wish, ...]) -> tuple[LeftOut, ...]:
    """Assignments that cannot be made at all."""
    return tuple(
        LeftOut(policy=each.policy, level=each.level.name, what="assign", why=each.chosen.remark or "")
        for each in wishes
        if each.chosen is not None and each.chosen.assign is None
    )


def remark(wish: Wish) -> str:
    """What should be said of an assignment."""
    text = wish.chosen.remark if wish.chosen else ""
    return f'policy "{wish.policy}", level "{wish.level.name}": {text}'


def choice(wish: Wish, scene: Scene) -> Iterator[Occurrence]:
    """The ledger line that says why this person, and why not the others."""
    if wish.chosen is None or not (wish.chosen.why or wish.chosen.passed_over):
        return
    yield Occurrence(
        what="chosen",
        policy=wish.policy,
        episode=wish.episode,
        level=wish.level.name,
        at=scene.now,
        text=reasons_of(wish.chosen),
    )


def line_of_left(what: str, left_out: LeftOut, scene: Scene, turns: list[Turn]) -> Occurrence:
    """The ledger line of what is not done: a wish that lost against an earlier policy, or what cannot be done."""
    found = next(each for each in turns if each.look.policy.name == left_out.policy)
    episode = found.look.standing.episode
    return Occurrence(
        what=what,
        policy=left_out.policy,
        episode=episode.key if episode else "",
        level=left_out.level or None,
        at=scene.now,
        text=f"{left_out.what}: {left_out.why}",
    )


def next_look(scene: Scene, done: list[Conclusion]) -> Instant | None:
    """The earliest time at which time alone could change the answer of any policy."""
    running = ((each.turn, live(each.standing)) for each in done)
    times = (
        of(each.look.policy, next_time, each, episode, scene.now, scene.snoozed_until)
        for each, episode in running
        if episode is not None
    )
    return min((at for at in times if at is not None), default=None)


def served(agreed: Agreed) -> tuple[tuple[str, str], ...]:
    """Whose turn of round robin this plan uses up."""
    assign = agreed.assign
    if not agreed.turn or assign is None or assign.group is None or assign.assignee is None:
        return ()
    return ((assign.group.id, assign.assignee.id),)


def could_start(policy: Policy, snapshot: Ticket) -> bool:
    """Whether a row that does not tell people and groups could match: not if its status alone keeps it out."""
    if snapshot.status is Status.SOLVED:
        return policy.when.asks_solved
    return snapshot.status is not Status.CLOSED


def could_matter(snapshot: Ticket, policies: PolicySet, standings: tuple[Standing, ...]) -> bool:
    """False only if no policy can match this row, none runs on the ticket, and none need be told so.

    A policy that matched at its last look must learn that it no longer does; one with `backlog = "skip"` must
    see the ticket once, to know what was there before it. A partial row cannot rule out what it does not tell, and one
    that names what it hides rules out by all the rest.
    """
    if any(live(each) is not None or each.matched for each in standings):
        return True
    if snapshot.gone:
        return any(each.looked for each in standings)
    looked = {each.policy for each in standings if each.looked}
    could = could_start if snapshot.partial else could_hold
    for policy in policies.serving(snapshot.ref.account):
        if could(policy, snapshot) or (policy.backlog == "skip" and policy.name not in looked):
            return True
    return False


def likely_due(snapshot: Ticket, policies: PolicySet) -> Instant | None:
    """When the first level of any policy that could match this row may be due, as far as the row tells: a guess to
    order work by, counted day and night from the row's own stamps. None where no policy could match."""
    serving = policies.serving(snapshot.ref.account)
    holding = [each for each in serving if could_hold(each, snapshot)]
    if not holding and snapshot.partial:
        holding = [each for each in serving if could_start(each, snapshot)]
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
