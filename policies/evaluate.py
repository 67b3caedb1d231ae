"""Evaluate policies on one ticket: a plan of what to do now, from values only (all of policy-rules.md)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from policies.assignment import reasons_of
from policies.bounds import ended_line
from policies.calendars import Calendar
from policies.conclude import Conclusion, conclude, owned
from policies.episodes import has_passed, live
from policies.look import closed_off, look
from policies.memory import Owner, Standing
from policies.merge import Agreed, agree, merge
from policies.model import Directory, Instant, Need, Status, Ticket
from policies.orders import Order
from policies.owners import Named
from policies.ownership import ticket_owner
from policies.plan import LeftOut, Occurrence, Plan, Wanted
from policies.policy import Policy, PolicySet
from policies.sayings import told
from policies.scene import Scene
from policies.settle import owner_moved
from policies.staff import is_there
from policies.traces import trace
from policies.turn import Turn, next_time, turn
from policies.verdict import could_hold
from policies.wishes import Wish, wish

RUNS_NOW: Mapping[str, Instant] = {}


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

    Acts must be recognised (`policies.who`). `first_ran` says since when each policy has run on the ticket's
    account, for `backlog = "skip"`; a policy it does not name runs for the first time now. `orders` are what
    people ordered since the last look.
    """
    scene = Scene(
        ticket=with_availability(ticket, directory),
        policies=policies,
        directory=directory,
        calendars=calendars,
        now=now,
        first_ran=first_ran,
        orders=orders,
    )
    serving = () if ticket.gone else policies.serving(ticket.ref.account)
    known = {each.policy: each for each in standings}
    before = [known.get(policy.name, Standing(policy=policy.name)) for policy in serving]
    turns = [turn(scene, look(scene, *pair)) for pair in zip(serving, before, strict=True)]
    names = {policy.name for policy in serving}
    others = tuple(each for each in standings if each.policy not in names)
    return planned(scene, (*before, *others), turns, others)


def with_availability(ticket: Ticket, directory: Directory) -> Ticket:
    """The ticket with what the directory tells of its assignee's presence."""
    label = ticket.assignee.label if ticket.assignee else None
    away = None if label is None else not is_there(label, directory)
    return replace(ticket, assignee_away=away, loaded=ticket.loaded | {Need.AVAILABILITY})


def planned(
    scene: Scene, before: tuple[Standing, ...], turns: list[Turn], others: tuple[Standing, ...]
) -> Plan:
    """The plan from what each policy came to, and from the standings of those that are gone."""
    wishes = tuple(wish(scene, each, each.sends) for each in turns if each.sends is not None)
    agreed = agree(wishes)
    owners = {each.look.policy.name: owned(scene, each, agreed) for each in turns}
    said = [told(scene, each, answering(each, owners)) for each in wishes]
    merged = merge(scene.ticket, wishes, agreed, tuple(w for wanted, _ in said for w in wanted))
    restored = () if merged.wanted else put_back(turns)
    done = [conclude(scene, each, owners[each.look.policy.name], merged) for each in turns]
    closed = [closed_off(scene, each, "gone" if scene.ticket.gone else "removed") for each in others]
    standings = (*(each.standing for each in done), *(standing for standing, _ in closed))
    lost = [episode for _, episode in closed if episode is not None]
    return Plan(
        ref=scene.ticket.ref,
        revision=scene.ticket.revision,
        now=scene.now,
        wanted=merged.wanted or restored,
        left_out=(*merged.left_out, *unmade(wishes)),
        standings=standings,
        occurrences=(
            *(line for each in done for line in each.said),
            *(ended_line(episode) for episode in lost if has_passed(episode)),
            *(overruled(each, scene, wishes) for each in merged.left_out),
            *(line for each in wishes for line in choice(each, scene)),
            *owner_moved(before, standings, scene.now),
        ),
        trace=tuple(trace(each.turn, live(each.standing), notes_of(each, wishes)) for each in done),
        next_look=next_look(scene, done),
        owner=ticket_owner(standings),
        ended=(*(episode for each in turns for episode in each.look.ended), *lost),
        served=served(agreed),
        warnings=(
            *(remark(each) for each in wishes if each.chosen is not None and each.chosen.remark),
            *(warning for _, warnings in said for warning in warnings),
            *(warning for each in done for warning in each.warnings),
            *strangers(scene.ticket),
        ),
    )


def strangers(ticket: Ticket) -> tuple[str, ...]:
    """The alarm about a bot's user that somebody else uses too (rule 11): always the same words, to be said once."""
    acts = (*(each.act for each in ticket.messages), *(each.act for each in ticket.changes))
    if not any(act.unreceipted for act in acts):
        return ()
    said = "the bot's user did something here that Uptier has no receipt for"
    return (f"{said}; give Uptier a user of its own, and change the secret if nobody else should have it",)


def notes_of(done: Conclusion, wishes: tuple[Wish, ...]) -> tuple[str, ...]:
    """What explain adds to a policy: warnings, and whom it chose and why."""
    chosen = (each.chosen for each in wishes if each.policy == done.turn.look.policy.name)
    told = (reasons_of(each) for each in chosen if each is not None)
    return (*done.warnings, *(text for text in told if text))


def put_back(turns: list[Turn]) -> tuple[Wanted, ...]:
    """What the first de-escalated episode wants restored; it waits while any policy has something to do."""
    first = next((each for each in turns if each.look.restores and each.episode is not None), None)
    if first is None or first.episode is None:
        return ()
    return tuple(Wanted(action=each, episodes=(first.episode.key,)) for each in first.look.restores)


def answering(wish: Wish, owners: Mapping[str, Named | None]) -> Owner:
    """Who answers for what is said: the level's new owner, or for a repeat the episode's."""
    named = owners[wish.policy]
    episode = wish.turn.episode
    held = named.owner if named else episode.owner if episode else None
    assert held is not None
    return held


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


def overruled(left_out: LeftOut, scene: Scene, wishes: tuple[Wish, ...]) -> Occurrence:
    """The ledger line of a wish that lost against an earlier policy."""
    episode = next(each.episode for each in wishes if each.policy == left_out.policy)
    return Occurrence(
        what="overruled",
        policy=left_out.policy,
        episode=episode,
        level=left_out.level,
        at=scene.now,
        text=f"{left_out.what}: {left_out.why}",
    )


def next_look(scene: Scene, done: list[Conclusion]) -> Instant | None:
    """The earliest time at which time alone could change the answer of any policy."""
    running = ((each.turn, live(each.standing)) for each in done)
    times = (next_time(each, episode, scene.now) for each, episode in running if episode is not None)
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
    see the ticket once, to know what was there before it. A partial row cannot rule out what it does not tell.
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
