"""What is said when a level is carried out: why it fires, and what happens next if nobody does anything."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, tzinfo
from functools import lru_cache
from operator import itemgetter

from policies.language.clocks import CLOCKS, Reading
from policies.language.conditions import Condition
from policies.language.policy import Level, Policy
from policies.model import Instant, Ticket, spell
from policies.plan import Notify, Plan, Say
from policies.rules.calendars import Count
from policies.rules.ladder import Due, LevelDecision, dues
from policies.rules.observe import PolicyRaised, of
from policies.rules.outcomes import NEVER_DUE
from policies.state import Episode, How, Passed


def worded(plan: Plan) -> Plan:
    """The plan with the words that its notes, replies and notifications say, that the ledger keeps of the levels that
    fire, and that their episodes remember; the plan itself where nothing is carried out. Where words fail, that is
    said instead, and the plan does what it does."""
    decisions = {each.decision.policy.name: each.decision for each in plan.considered if each.decision}
    if not any(each.fires or each.sends for each in decisions.values()):
        return plan

    # 1. For the ledger and the episode, why a level fires: it is under way, or has just been passed.
    whys, fired = dict[str, str](), dict[str, str]()
    for name, decision in decisions.items():
        if decision.fires is not None:
            fired[name] = decision.fires.level.name
            try:
                whys[name] = of(decision.policy, because, decision)
            except PolicyRaised as raised:
                whys[name] = untold(raised)
    standings = list(plan.standings)
    for place, state in enumerate(standings):
        why, episode = whys.get(state.policy), state.running
        if why is None or episode is None:
            continue
        if episode.under_way is not None:
            episode = replace(episode, under_way=replace(episode.under_way, why=why))
        else:
            episode = replace(episode, passed=(*episode.passed[:-1], replace(episode.passed[-1], why=why)))
        standings[place] = replace(state, episode=episode)

    # 2. For who reads a note, a reply or a notification: why, and what happens next.
    wanted = list(plan.wanted)
    for place, each in enumerate(wanted):
        action = each.action
        if not isinstance(action, Say | Notify) or (level := decisions[action.policy].sends) is None:
            continue
        decision = decisions[action.policy]
        try:
            reasons = of(decision.policy, reasons_for, decision, level)
            step = of(decision.policy, next_step, decision, level, action.owner)
            action = replace(action, reasons=reasons, next_step=step)
        except PolicyRaised as raised:
            action = replace(action, reasons=(untold(raised),))
        wanted[place] = replace(each, action=action)

    return replace(
        plan,
        wanted=tuple(wanted),
        standings=tuple(standings),
        occurrences=tuple(
            replace(each, text=whys[each.policy])
            if each.what in FIRING and fired.get(each.policy) == each.level
            else each
            for each in plan.occurrences
        ),
    )


FIRING = frozenset({How.FIRED, How.OBSERVED, How.SKIPPED})


def untold(raised: PolicyRaised) -> str:
    """What is said where nobody can say why."""
    return f"why cannot be told: {type(raised.__cause__).__name__}: {raised.__cause__}"


def reasons_for(decision: LevelDecision, level: Level) -> tuple[str, ...]:
    """Why this level fires now: who ordered it, if somebody did, and what the clock says against the level's limit."""
    episode, count, reading = decision.episode, decision.count, decision.seen.reading
    ordered = episode.pushed_because if episode.pushed == level.name else ""
    phrase = CLOCKS[decision.policy.clock].phrase
    if level.at is not None:
        limit = f" (limit {level.at}% of the time to it)"
    elif level.before is not None:
        limit = f" (limit {spell(level.before)} before it)"
    else:
        limit = f" (limit {spell(level.after or 0)})"
    if level.clock == "since_last_level":
        names = [each.name for each in decision.policy.levels]
        before = names[names.index(level.name) - 1]
        at = next((each.at for each in episode.passed if each.level == before), None)
        elapsed = spell(count.elapsed(at)) if at is not None else "some time"
        said = f'{elapsed} since "{before}"{limit}'
    elif reading.due is not None:
        said = f"{phrase.format(f'due {moment(reading.due, count.calendar.timezone)}')}{limit}"
    else:
        start = episode.clock_start
        elapsed = spell(count.elapsed(start)) if start is not None else "an unknown time"
        said = f"{phrase.format(elapsed)}{limit}"
    return (f"escalated {ordered}", said) if ordered else (said,)


def because(decision: LevelDecision) -> str:
    """Why this level fires now, for the ledger: the reasons, and the conditions that hold but for the silent last. What
    decided comes first: the clock, or conditions that came to hold when its time was over already."""
    conditions = tuple(held(decision.policy.when.lines[:-1], decision.seen.ticket))
    if decision.fires is None:
        raise ValueError("nothing fires")
    reasons, due = reasons_for(decision, decision.fires.level), decision.fires.at
    came_late = due is not None and due < decision.episode.started
    return "; ".join((*conditions, *reasons) if came_late else (*reasons, *conditions))


def held(lines: Iterable[Condition], ticket: Ticket) -> Iterator[str]:
    """The lines that hold, in words; of a group, those within it."""
    for line in lines:
        if line.judge(ticket):
            yield from held(line.inner, ticket) if line.inner else (line.text,)


def next_step(decision: LevelDecision, level: Level, owner: str) -> str:
    """What happens next if nobody does anything, and when. `owner` answers for the level."""
    episode, count, zone = decision.episode, decision.count, decision.count.calendar.timezone
    again = decision.fires is None and decision.makes_up is None
    if not again:
        fired = Passed(level=level.name, how=How.FIRED, at=count.now)
        episode = replace(episode, passed=(*episode.passed, fired))
    found = dues(decision.policy, decision.seen.reading, episode, count)
    names = [each.level.name for each in found]
    later = [
        (each.at, each.level.name) for each in found[names.index(level.name) + 1 :] if each.at is not None
    ]
    if later:
        at, name = min(later, key=itemgetter(0))
        return f'level "{name}" at {moment(at, zone)}'
    if level.repeat is not None:
        done = episode.repeated + 1 if again else 0
        again_at = count.due(count.now, level.repeat.every)
        if done < level.repeat.times and again_at is not None:
            return f"said again at {moment(again_at, zone)}"
    return f"no further level; {owner} owns it"


def due_words(due: Due, policy: Policy, reading: Reading, episode: Episode, count: Count) -> str:
    """When a level is due, or why nobody can tell."""
    level, zone = due.level, count.calendar.timezone
    place = policy.levels.index(level)
    before = f'"{policy.levels[place - 1].name}"' if place else "a level before it"
    since = before if level.clock == "since_last_level" else "the clock's start"
    due_at = f"due {moment(due.reached, zone)}" if due.reached is not None else ""
    end = f"the deadline, {moment(reading.due, zone)}" if reading.due is not None else ""
    match due.why:
        case "passed":
            done = next(each for each in reversed(episode.passed) if each.level == level.name)
            text = f"{done.how} at {moment(done.at, zone)}"
        case "held back":
            text = f"waits: {level.waits}"
        case "clock absent":
            text = f"not due: {reading.why_absent}"
        case "level before not passed":
            text = f"not due: it counts from {before}, which is not passed"
        case "clock not started":
            text = "not due: the clock has not started"
        case "paused":
            text = f"not due while paused: {spell(level.after or 0)} after {since}"
        case "counted":
            text = f"{due_at}, {spell(level.after or 0)} after {since}"
        case "after deadline":
            text = f"{due_at}, {spell(level.after or 0)} after {end}"
        case "before deadline":
            text = f"{due_at}, {spell(level.before or 0)} before {end}"
        case "at start":
            text = f"{due_at}, at the target's start: no business time lies before the deadline"
        case "share":
            whole = max(count.calendar.between(reading.start or 0, reading.due or 0), 0)
            text = f"{due_at}, {level.at}% of the {spell(whole)} to {end}"
        case "start not told":
            text = NEVER_DUE
    if due.opens is None:
        return text
    return f"{text}; waits for {level.within} to open at {moment(due.opens, zone)}"


@lru_cache(maxsize=1024)
def moment(at: Instant, zone: tzinfo) -> str:
    """An instant for people: `2026-11-25 14:00 EST`, with seconds where there are some."""
    local = datetime.fromtimestamp(at, zone)
    clock = local.strftime("%H:%M:%S" if local.second else "%H:%M")
    return f"{local.date().isoformat()} {clock} {local.tzname()}"
