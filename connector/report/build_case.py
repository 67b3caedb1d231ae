"""From what is kept of a ticket to the case that figures are taken from: escalations, solvings, moves,
stays. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from connector.report.cases import (
    Case,
    Escalation,
    Frame,
    HandOff,
    Moves,
    People,
    Promise,
    Solving,
    Standing,
    Stay,
    Step,
    Stretch,
)
from connector.store.reported import Ordered, Reported, Sent
from policies.history import OVER, PEOPLE, History, Sight, is_reopening, moves_of
from policies.language.clocks import customer_waiting
from policies.language.clocks import first_reply as first_reply_target
from policies.language.policy import SlaSpec
from policies.model import (
    Change,
    Instant,
    Metric,
    Need,
    Priority,
    Seconds,
    Stage,
    Status,
    Target,
    Ticket,
    Who,
)
from policies.rules.calendars import ALWAYS, pauses
from policies.rules.episode import first_acknowledgement
from policies.rules.judgement import Judgement
from policies.rules.ladder import untimed
from policies.rules.undo import puts_back
from policies.state import Episode, How, Passed


def overlaps(ones: Sequence[Stretch], others: Sequence[Stretch]) -> Iterator[Stretch]:
    """Where both are. The stretches of each do not overlap among themselves."""
    for start, end in ones:
        for begin, until in others:
            low, high = max(start, begin), min(end, until)
            if low < high:
                yield low, high


def merged(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """The same time as stretches that do not overlap, in order."""
    found: list[Stretch] = []
    for start, end in sorted(stretches):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


OVER_WORDS = frozenset(each.value for each in OVER)


def waits(ticket: Ticket, history: History, now: Instant) -> tuple[Stretch, ...]:
    """The stretches in which a customer waited for a reply, as the clock `customer_waiting` reads them: each ends with
    a qualifying reply or a solving, the last one at `now` if it still runs."""
    found: list[Stretch] = []
    for place, fact in enumerate(history.facts):
        ends = history.is_reply(fact) or (
            isinstance(fact, Change) and fact.field == "status" and fact.after in OVER
        )
        start = waiting_since(ticket, history, place) if ends else None
        if start is not None and waiting_since(ticket, history, place + 1) is None:
            found.append((start, fact.act.at))
    start = waiting_since(ticket, history, len(history.facts))
    return tuple(found) if start is None else (*found, (start, now))


def waiting_since(ticket: Ticket, history: History, facts: int) -> Instant | None:
    """Since when the customer waited after so many facts."""
    until_then = replace(history, facts=history.facts[:facts])
    return customer_waiting(Sight(ticket=ticket, history=until_then)).start


def promises(ticket: Ticket, history: History | None, frame: Frame) -> tuple[Promise, ...]:
    """Every target of the ticket. A helpdesk's target wins over the tables by metric. `history` is None where it was
    not loaded: then it cannot be told whether an achieved target was met in time."""
    given = tuple(from_vendor(each, ticket, history, frame) for each in ticket.targets)
    metrics = {each.metric for each in given}
    sla = next((each for each in frame.policies.slas if each.serves(ticket.ref.account)), None)
    if sla is None or history is None:
        return given
    kept = (each for each in from_table(sla, ticket, history, frame) if each.metric not in metrics)
    return (*given, *kept)


def from_vendor(target: Target, ticket: Ticket, history: History | None, frame: Frame) -> Promise:
    """A helpdesk's target. That one is achieved does not say whether it was in time: the history does."""
    known = Promise(metric=target.metric, stands="untold", start=target.start, due=target.due)
    if target.stage is Stage.PAUSED:
        return replace(known, stands="paused")
    if target.due is None or target.stage is Stage.UNKNOWN:
        return known
    if target.stage is Stage.ACTIVE:
        return replace(known, stands="breached" if target.due < frame.now else "open")
    met = None if history is None else fulfilled(target, ticket, history)
    if target.breached:
        return replace(known, stands="breached", met=met)
    return (
        known if met is None else replace(known, stands=promise_stands(met, target.due, frame.now), met=met)
    )


def promise_stands(met: Instant | None, due: Instant, now: Instant) -> Standing:
    """A promise kept at the very instant of its deadline was kept."""
    if met is None:
        return "breached" if due < now else "open"
    return "achieved" if met <= due else "breached"


def fulfilled(target: Target, ticket: Ticket, history: History) -> Instant | None:
    """When an achieved target was fulfilled: by the first reply, the reply that ended the newest wait, or solving."""
    if target.metric is Metric.RESOLUTION:
        return solved_last(ticket, history)
    if target.metric is Metric.FIRST_REPLY:
        replies = (fact.act.at for fact in history.facts if history.is_reply(fact))
        return next(replies, None)
    ended = waits(ticket, history, 0)
    return ended[-1][1] or None if ended else None


def solved_last(ticket: Ticket, history: History) -> Instant | None:
    """When the ticket, if it is solved or closed, was last solved; None if the history does not tell."""
    last: Change | None = None
    for each in history.changes("status"):
        if each.after in OVER and each.before not in OVER:
            last = each
        elif each.after not in OVER:
            last = None
    return last.act.at if last is not None and ticket.status in OVER else None


def from_table(sla: SlaSpec, ticket: Ticket, history: History, frame: Frame) -> Iterator[Promise]:
    """The targets of an `[sla]` table for the priority that the ticket has without our own writes."""
    calendar = ALWAYS if sla.calendar is None else frame.calendars[sla.calendar]
    priority = own_priority(ticket, history)
    for metric, start, met in promised(ticket, history, frame.now):
        span = sla.targets.get(metric.value, {}).get(priority) if priority else None
        if span is not None:
            due = calendar.add(start, span)
            yield Promise(
                metric=metric, stands=promise_stands(met, due, frame.now), start=start, due=due, met=met
            )


def promised(
    ticket: Ticket, history: History, now: Instant
) -> Iterator[tuple[Metric, Instant, Instant | None]]:
    """Each run of a metric with its start and its fulfilment: one first reply, each later wait, one resolution."""
    replied = next((fact.act.at for fact in history.facts if history.is_reply(fact)), None)
    asked = next((fact.act.at for fact in history.facts if history.is_customers(fact)), None)
    if asked is not None:
        given = first_reply_target(Sight(ticket=ticket, history=history)).achieved
        later = (f.act.at for f in history.facts if history.is_reply(f) and f.act.at >= asked)
        yield Metric.FIRST_REPLY, asked, next(later, None) if given else None
    still = waiting_since(ticket, history, len(history.facts))
    for start, end in waits(ticket, history, now):
        if replied is not None and start >= replied:
            yield Metric.NEXT_REPLY, start, None if start == still else end
    yield Metric.RESOLUTION, ticket.created, solved_last(ticket, history)


def own_priority(ticket: Ticket, history: History) -> Priority | None:
    """The ticket's priority, or what it was before we raised it, as long as nobody has changed it since."""
    value: object = ticket.priority
    for change in reversed(list(history.changes("priority"))):
        if change.act.who is not Who.OURS or change.after != value:
            break
        value = change.before
    return Priority(str(value)) if value else None


def over_stretches(ticket: Ticket, history: History, now: Instant) -> tuple[Stretch, ...]:
    """The stretches in which the ticket was solved or closed."""
    return pauses(ticket, history, OVER_WORDS, now)


GRACE: Seconds = 300
"""How long after its due a level that has not fired counts as missed."""

COUNTS = (How.FIRED, How.OBSERVED)


def escalations(
    kept: Reported, history: History | None, frame: Frame, people: People
) -> tuple[Escalation, ...]:
    """The ticket's episodes in which a level fired, was observed, refused, rejected or missed, oldest first."""
    made = (escalation(episode, kept, history, frame, people) for episode in kept.episodes)
    return tuple(each for each in made if each.steps or each.declined or each.refused or each.missed)


def escalation(
    episode: Episode, kept: Reported, history: History | None, frame: Frame, people: People
) -> Escalation:
    """One episode. Levels that it began behind belong to the one before it."""
    policy = frame.policy(episode.policy)
    own = tuple(each for each in episode.passed if each.at >= episode.started)
    orders = tuple(each for each in kept.orders if each.episode == episode.key)
    if history is not None and policy is not None:
        history = replace(
            history, reply_kinds=policy.counts_as_reply, acknowledging_tags=policy.acknowledge_tags
        )
    steps = tuple(made_steps(episode, own, orders, kept.sent, history, frame, people))
    rejected = [each for each in orders if each.what == "rejected"]
    taken_back = () if puts_back(episode.undone) else ("undone",)
    back = [each for each in orders if each.what in ("deescalated", *taken_back)]
    undone = bool(back) and episode.acknowledged is None
    rejected_levels = {each.level for each in rejected}
    names = {each.level for each in own if each.how in COUNTS}
    return Escalation(
        policy=episode.policy,
        clock=episode.clock,
        needed=min(episode.started, episode.matching_since or episode.started),
        steps=steps,
        ended=episode.ended,
        reason=episode.reason or "",
        top=None if policy is None else policy.levels[-1].name in names,
        declined=bool(rejected) or undone,
        because=(rejected or back)[0].text if rejected or undone else "",
        refused=tuple(
            each.at for each in own if each.how is How.REFUSED and each.level not in rejected_levels
        ),
        missed=missed(episode, kept.judged, frame.now),
        answered=answered(episode, history),
    )


def answered(episode: Episode, history: History | None) -> bool:
    """Whether an agent's reply ended the episode: as its `stop_on` says, or by its clock, or an acknowledgement, that
    the reply was."""
    if episode.reason == "stop_on agent_reply" or history is None or episode.ended is None:
        return episode.reason == "stop_on agent_reply"
    if episode.reason not in ("clock", "stop_on acknowledged"):
        return False
    told = [fact for fact in history.facts if fact.act.at <= episode.ended]
    last = max((fact.act.at for fact in told if fact.act.who in PEOPLE), default=episode.started)
    return any(history.is_reply(fact) and fact.act.at == last for fact in told)


def made_steps(
    episode: Episode,
    own: tuple[Passed, ...],
    orders: tuple[Ordered, ...],
    sent: tuple[Sent, ...],
    history: History | None,
    frame: Frame,
    people: People,
) -> Iterator[Step]:
    """The levels that fired or were observed, in order."""
    counting = [each for each in own if each.how in COUNTS]
    for passed, after in pairwise((*counting, None)):
        assert passed is not None
        until = after.at if after else episode.ended
        ordered = any(each.what == "escalated" and each.level == passed.level for each in orders)
        acknowledged = acknowledgement(episode, passed, history, until)
        yield Step(
            level=passed.level,
            at=passed.at,
            acted=acted(episode, passed, sent),
            due=passed.due,
            observed=passed.how is How.OBSERVED,
            only_notifies=frame.only_notifies(episode.policy, passed.level),
            ordered=ordered,
            acknowledged=acknowledged,
            waits=acknowledged is None and until is None,
            untimed="ordered by a person" if ordered else untimed(episode, passed),
            hand_off=None if history is None else hand_off(episode, passed, after, history, people),
        )


def acknowledgement(
    episode: Episode, passed: Passed, history: History | None, until: Instant | None
) -> Instant | None:
    """The first acknowledgement after this level and no later than the next one, or the episode's end."""
    ordered = episode.acknowledged
    found = [] if ordered is None or ordered <= passed.at else [ordered]
    if history is not None:
        fact = first_acknowledgement(history, replace(episode, passed=(passed,)))
        found += [] if fact is None else [fact.act.at]
    first = min(found, default=None)
    return None if first is None or (until is not None and first > until) else first


def acted(episode: Episode, passed: Passed, sent: tuple[Sent, ...]) -> Instant:
    """When the helpdesk had the level's first write; the instant of the decision where there was nothing to write."""
    own = (each.settled_at for each in sent if episode.key in each.episodes and each.planned_at == passed.at)
    return min(own, default=passed.at)


def hand_off(
    episode: Episode, passed: Passed, after: Passed | None, history: History, people: People
) -> HandOff | None:
    """The first change of group that the level made, and who took the ticket up there."""
    ours = (each for each in history.changes("group") if is_by(each, episode, passed, after))
    moved = next(ours, None)
    return None if moved is None else handed_over(moved, history, people)


def handed_over(moved: Change, history: History, people: People) -> HandOff:
    """Who took the ticket up in the group to which this change brought it."""
    members = people.members.get(str(moved.after), frozenset())
    found = HandOff(group=people.name(moved.after), at=moved.act.at, unknown=not members)
    for fact in history.facts:
        if fact.act.sequence <= moved.act.sequence:
            continue
        if fact.act.who is Who.AGENT and history.is_human(fact) and fact.act.person in members:
            return replace(found, taken_up=fact.act.at)
        if isinstance(fact, Change) and fact.field == "group" and fact.before != fact.after:
            return replace(found, gone_on=True)
    return found


def handed_by_people(ticket: Ticket, history: History, people: People, now: Instant) -> Iterator[HandOff]:
    """The moves by people from one group to another, with how long a customer waited until somebody there acted."""
    moved = [
        each
        for each in history.changes("group")
        if each.act.who in PEOPLE and None not in (each.before, each.after) and each.before != each.after
    ]
    waited = waits(ticket, history, now) if moved else ()
    for each in moved:
        found = handed_over(each, history, people)
        spans = () if found.taken_up is None else ((found.at, found.taken_up),)
        yield replace(found, waiting=tuple(overlaps(spans, waited)))


def is_by(change: Change, episode: Episode, passed: Passed, after: Passed | None) -> bool:
    """Whether this level of this episode made the change."""
    ours = change.act.who is Who.OURS and episode.key in change.act.episodes
    return ours and change.act.at >= passed.at and (after is None or change.act.at < after.at)


def missed(episode: Episode, judged: tuple[Judgement, ...], now: Instant) -> int:
    """How many levels of a running episode were due a while ago and have not fired."""
    if episode.ended is not None or (episode.snoozed_until or 0) > now:
        return 0
    own = [each for each in judged if each.policy == episode.policy and each.mode == "enforce"]
    return sum(
        level.state in ("waiting", "due") and level.due is not None and level.due + GRACE <= now
        for each in own
        for level in each.levels
    )


RESTING = frozenset({Status.PENDING.value, Status.ON_HOLD.value})
PUBLIC = frozenset({"public"})


def case_of(kept: Reported, frame: Frame, people: People) -> Case:
    """The case of one ticket. What was not loaded stays empty."""
    ticket = kept.ticket
    told = {Need.MESSAGES, Need.CHANGES} <= ticket.loaded
    history = History.of(ticket, PUBLIC) if told else None
    over = ticket.status in OVER
    cause = ticket.custom.get("cause")
    case = Case(
        ref=ticket.ref,
        created=ticket.created,
        group=ticket.group.name if ticket.group else "no group",
        is_open=not over and ticket.gone is None,
        told=told,
        gone=ticket.gone is not None,
        cause=None if cause is None else str(cause),
        rating=ticket.satisfaction,
        rating_loaded=Need.RATING in ticket.loaded,
        escalations=escalations(kept, history, frame, people),
        promises=promises(ticket, history, frame),
    )
    if history is None:
        since = ticket.status_since if ticket.status is Status.SOLVED else None
        return replace(case, solved=since, solving_untold=over and since is None)
    return with_history(case, ticket, history, frame, people)


def with_history(case: Case, ticket: Ticket, history: History, frame: Frame, people: People) -> Case:
    """The case with what its history tells."""
    solved = solved_last(ticket, history)
    if solved is None and ticket.status is Status.SOLVED:
        solved = ticket.status_since
    resting = pauses(ticket, history, RESTING, frame.now)
    return replace(
        case,
        first_reply=next((fact.act.at for fact in history.facts if history.is_reply(fact)), None),
        solvings=tuple(solvings(history, frame)),
        solved=solved,
        solving_untold=ticket.status in OVER and solved is None,
        moves=moves(history),
        handed=tuple(handed_by_people(ticket, history, people, frame.now)),
        stays=tuple(stays(ticket, history, frame, people)),
        paused=resting,
        paused_waiting=tuple(overlaps(resting, waits(ticket, history, frame.now))) if resting else (),
    )


def solvings(history: History, frame: Frame) -> Iterator[Solving]:
    """Every time the ticket was solved, oldest first, with the reopening by a person that followed."""
    changes = list(history.changes("status"))
    replies = [fact.act.at for fact in history.facts if history.is_reply(fact)]
    ends = [place for place, each in enumerate(changes) if each.after in OVER and each.before not in OVER]
    for place, following in pairwise((*ends, None)):
        assert place is not None
        at = changes[place].act.at
        reopened = next((c.act.at for c in changes[place + 1 : following] if is_reopening(c)), None)
        solved_again = None if following is None or reopened is None else changes[following].act.at
        again = solved_again is not None and not any(
            (reopened or 0) <= each <= solved_again for each in replies
        )
        yield Solving(
            at=at, reopened=reopened, again=again, replies=sum(each <= at + frame.window for each in replies)
        )


def moves(history: History) -> Moves:
    """Changes from one group to another, by who made them."""
    changes = [each for each in history.changes("group") if None not in (each.before, each.after)]
    people, back = moves_of(history.changes("group"), "group")
    ours = sum(each.act.who is Who.OURS for each in changes)
    return Moves(
        people=people,
        ours=ours,
        automation=len(changes) - people - ours,
        back_by_people=back > 0,
        back=any(one.before == other.after for one, other in pairwise(changes)),
    )


def stays(ticket: Ticket, history: History, frame: Frame, people: People) -> Iterator[Stay]:
    """How long the ticket was, unsolved, in each group, until now; solved time is nobody's."""
    changes = list(history.changes("group"))
    first = changes[0].before if changes else (ticket.group.id if ticket.group else None)
    named = {ticket.group.id: ticket.group.name} if ticket.group else {}
    over = over_stretches(ticket, history, frame.now)
    entries: list[tuple[int, int, object]] = [(ticket.created, -1, first)]
    entries += [(each.act.at, each.act.sequence, each.after) for each in changes]
    for (start, sequence, group), after in zip(entries, (*entries[1:], None), strict=True):
        end = after[0] if after else frame.now
        seconds = max(end - start, 0) - sum(e - s for s, e in overlaps(over, ((start, end),)))
        if seconds > 0:
            yield Stay(
                group=named.get(str(group)) or people.name(group),
                start=start,
                seconds=seconds,
                first_act=first_act(history, sequence, after[1] if after else None),
            )


def first_act(history: History, after: int, until: int | None) -> int | None:
    """When an agent first did something after this fact, up to that one."""
    for fact in history.facts:
        if fact.act.sequence <= after or (not isinstance(fact, Change) and history.is_opening(fact)):
            continue
        if until is not None and fact.act.sequence > until:
            return None
        if fact.act.who is Who.AGENT and history.is_human(fact):
            return fact.act.at
    return None
