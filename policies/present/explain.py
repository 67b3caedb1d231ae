"""Why a plan is as it is: the words that go out with it, what was considered for each policy with its verdict, as a
trace, and that trace laid out in lines.

It decides nothing. What a plan leaves out because nothing hangs on it, the lines behind a failed one and the clock of a
policy that does not match, is asked again here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from functools import lru_cache
from operator import itemgetter
from types import MappingProxyType
from typing import Literal

from policies.language.clocks import CLOCKS, HIDDEN, Reading
from policies.language.conditions import Condition
from policies.language.policy import Level, Policy
from policies.language.vocabulary import Mode
from policies.model import Instant, Seconds, Ticket, Value, spell
from policies.plan import Notify, Plan, Say
from policies.rules.assignment import reasons_of
from policies.rules.calendars import Count, Day
from policies.rules.ladder import Due, LevelDecision, count_of, dues
from policies.rules.observe import UNREAD, PolicyRaised, Scene, Verdict, of, read_clock
from policies.rules.outcomes import NEVER_DUE, Considered
from policies.state import Episode, How, Passed, Standing

# --- what goes out with a plan ---------------------------------------------------------------------------------


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


# --- words that a note and a trace have in common --------------------------------------------------------------


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


LONGEST_READ = 200
"""How much of a text a trace keeps, in characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTrace:
    """One condition line as it was judged: what it says, what it read, whether it held. `hidden` says that it neither
    holds nor fails, since the helpdesk does not show what it reads."""

    section: Literal["when", "unless"]
    path: str
    text: str
    read: Value
    held: bool
    inner: tuple["LineTrace", ...] = ()
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockTrace:
    """How the clock was read; `steps` are sentences of arithmetic, in order."""

    name: str
    start: Instant | None
    why_absent: str | None = None
    elapsed: Seconds | None = None
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelTrace:
    """A level, when it is due, and how it stands: waiting, due, or how it was passed."""

    name: str
    due: Instant | None
    state: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTrace:
    """All that was considered for one policy, in the order it was considered."""

    policy: str
    mode: Literal["observe", "enforce"]
    holds: bool
    verdict: str
    lines: tuple[LineTrace, ...] = ()
    clock: ClockTrace | None = None
    levels: tuple[LevelTrace, ...] = ()
    notes: tuple[str, ...] = ()


def traced(plan: Plan) -> tuple[PolicyTrace, ...]:
    """The trace of each policy that serves the ticket, in file order, as the plan leaves it. One that cannot be put
    into words says so, and keeps nobody from the others."""
    scene, found = plan.scene, list[PolicyTrace]()
    for each in plan.considered:
        if scene is None:
            raise ValueError("the plan does not know what it was made from")
        policy = each.seen.policy
        state = next(one for one in plan.standings if one.policy == policy.name)
        try:
            found.append(of(policy, of_policy, scene, each, state))
        except PolicyRaised as raised:
            why = f"cannot be explained: {type(raised.__cause__).__name__}: {raised.__cause__}"
            mode: Mode = "enforce" if scene.enforces(policy) else "observe"
            found.append(
                PolicyTrace(policy=policy.name, mode=mode, holds=each.seen.verdict.holds, verdict=why)
            )
    return tuple(found)


def of_policy(scene: Scene, one: Considered, state: Standing) -> PolicyTrace:
    """What this policy came to. `state` is as the plan leaves it."""
    seen, policy, episode, reading = one.seen, one.seen.policy, state.running, one.seen.reading
    if reading is UNREAD:
        reading = read_clock(scene, policy, seen.ticket, seen.history, seen.before, seen.before.episode)
    count = one.decision.count if one.decision else count_of(scene, seen)
    levels = dues(policy, reading, episode, count) if episode else ()
    lines = (
        *(of_line(line, "when", seen.ticket) for line in policy.when.lines),
        *(of_line(line, "unless", seen.ticket) for line in policy.unless.lines),
    )
    zone = count.calendar.timezone
    ends = (
        f"episode {each.number} ended at {moment(each.ended or 0, zone)}: {each.reason}"
        for each in seen.ended
    )
    chosen = reasons_of(one.chosen) if one.chosen else ""
    return PolicyTrace(
        policy=policy.name,
        mode="enforce" if scene.enforces(policy) else "observe",
        holds=seen.verdict.holds,
        verdict=sentence(scene, one, reading, episode, levels, lines),
        lines=lines,
        clock=of_clock(policy.clock, reading, episode, count),
        levels=tuple(of_level(scene, one, reading, episode, each) for each in levels) if episode else (),
        notes=(*ends, *one.warnings, *((chosen,) if chosen else ())),
    )


# --- a trace: its lines ----------------------------------------------------------------------------------------


def of_line(line: Condition, section: Literal["when", "unless"], ticket: Ticket) -> LineTrace:
    """The line as judged on this ticket, with the value it read."""
    held = line.judge(ticket)
    read = None if held is None else (line.shown or line.read)(ticket)
    return LineTrace(
        section=section,
        path=line.path,
        text=line.text,
        read=f"{read[:LONGEST_READ]}…" if isinstance(read, str) and len(read) > LONGEST_READ else read,
        held=held is True,
        inner=tuple(of_line(each, section, ticket) for each in line.inner),
        hidden=held is None,
    )


# --- a trace: its clock ----------------------------------------------------------------------------------------

SHOWN_DAYS = 14
"""How many days of a sum are written out; those in the middle of a longer one are summed in one line."""

KINDS = {"holiday": "holiday", "closed": "closed by the calendar", "open": "special hours"}


def of_clock(clock: str, reading: Reading, episode: Episode | None, count: Count) -> ClockTrace:
    """How the clock was read, and the sum from what levels count from until now: the start, each day, each pause, the
    total."""
    if reading.why_absent is not None:
        return ClockTrace(name=clock, start=None, why_absent=reading.why_absent)
    start = reading.start if episode is None else episode.clock_start
    deadline: tuple[str, ...] = ()
    if reading.due is not None:
        left = count.calendar.between(count.now, reading.due)
        where = f"{spell(left)} left" if left >= 0 else f"missed by {spell(-left)}"
        deadline = (f"the deadline is {moment(reading.due, count.calendar.timezone)}: {where}",)
    if start is None:
        return ClockTrace(name=clock, start=None, steps=deadline)
    zone = count.calendar.timezone
    because = reading.because if start == reading.start else "the ticket was acknowledged"
    days = [day for stretch in count.running(start) for day in count.calendar.days(*stretch)]
    pauses = [
        f"paused from {moment(max(pause, start), zone)} to {moment(resume, zone)}"
        for pause, resume in count.paused
        if resume > start
    ]
    elapsed = count.elapsed(start)
    name = f" on calendar {count.calendar.name}" if count.calendar.name else ""
    steps = (
        f"counts from {moment(start, zone)}: {because}",
        *written_out(days),
        *pauses,
        f"counted until {moment(count.now, zone)}: {spell(elapsed)}{name}",
        *deadline,
    )
    return ClockTrace(name=clock, start=start, elapsed=elapsed, steps=steps)


def written_out(days: list[Day]) -> Iterator[str]:
    """A line for each day, such as `2026-11-26: 0m (holiday)`; a long middle is one line."""
    half = SHOWN_DAYS // 2
    middle = days[half:-half] if len(days) > SHOWN_DAYS else []
    for place, day in enumerate(days):
        if middle and place == half:
            total = spell(sum(each.counted for each in middle))
            yield f"{middle[0].date} to {middle[-1].date}: {total} in {len(middle)} days"
        if not middle or place < half or place >= len(days) - half:
            kind = f" ({KINDS[day.kind]})" if day.kind else ""
            yield f"{day.date}: {spell(day.counted)}{kind}"


# --- a trace: its levels ---------------------------------------------------------------------------------------


def of_level(scene: Scene, one: Considered, reading: Reading, episode: Episode, due: Due) -> LevelTrace:
    """How one level stands."""
    passed = {each.level: each.how.value for each in episode.passed}
    way, name = episode.under_way, due.level.name
    state = passed.get(name, "waiting")
    if state == "waiting" and name == episode.awaiting:
        state = "awaiting approval" if scene.enforces(one.seen.policy) else "would ask for approval"
    if way is not None and name == way.level:
        state = "due"
    elif way is not None and name in way.overtaken:
        state = How.OVERTAKEN.value
    count = one.decision.count if one.decision else count_of(scene, one.seen)
    text = due_words(due, one.seen.policy, reading, episode, count)
    return LevelTrace(name=name, due=due.at, state=state, text=text)


# --- a trace: its verdict --------------------------------------------------------------------------------------

FIRING = {How.FIRED: "fires", How.OBSERVED: "would fire", How.SKIPPED: "skips, as part of the backlog,"}


def sentence(
    scene: Scene,
    one: Considered,
    reading: Reading,
    episode: Episode | None,
    levels: tuple[Due, ...],
    lines: tuple[LineTrace, ...],
) -> str:
    """The verdict in one sentence."""
    seen, decision = one.seen, one.decision
    if seen.verdict.unknown and (decision is None or decision.fires is None):
        lost = next((line.text for line in lines if line.section == "when" and line.hidden), "a line")
        return f"cannot be judged: {lost}, which is {HIDDEN}"
    if episode is None and seen.verdict.by is not None:
        return refusal(seen.verdict.by, seen.verdict, seen.ticket)
    if episode is None or decision is None:
        reason = seen.state.episode.reason if seen.state.episode else "nothing"
        return (
            f"matches, but its last episode ended ({reason}), "
            "and neither `when` nor the clock has started anew"
        )
    if decision.fires is not None:
        return f'{FIRING[decision.how]} level "{decision.fires.level.name}"'
    if decision.repeats is not None:
        return f'says level "{decision.repeats.name}" again'
    if decision.makes_up is not None:
        return f'makes up for what level "{decision.makes_up.name}" had left out'
    if decision.asks is not None:
        asks = "would ask" if decision.mode == "observe" else "asks"
        return f'{asks} for approval of level "{decision.asks.name}"'
    if episode.undoing:
        return f"takes back what it wrote: de-escalated {episode.undone_because}"
    if scene.taking_back:
        return "waits: what was written here is being taken back first"
    if scene.is_snoozed:
        return f"snoozed until {moment(scene.snoozed_until or 0, decision.count.calendar.timezone)}"
    if reading.why_absent is not None:
        return f"waits: {reading.why_absent}"
    names = {each.level for each in episode.passed}
    ahead = [each for each in levels if each.level.name not in names]
    if not ahead:
        return "every level is passed"
    known = [each for each in ahead if each.at is not None]
    upcoming = min(known, key=lambda each: each.at or 0) if known else ahead[0]
    text = due_words(upcoming, seen.policy, reading, episode, decision.count)
    return f'waits for level "{upcoming.level.name}": {text}'


def refusal(by: Condition, verdict: Verdict, ticket: Ticket) -> str:
    """The line that decided against the policy."""
    if verdict.excluded:
        return f"excluded: {by.text}"
    if by.inner:
        return f"does not match: {by.text}, of which {'none' if by.path == 'any' else 'not all'} hold"
    read = of_line(by, "when", ticket).read
    if isinstance(read, tuple):
        read = ", ".join(map(str, read)) or "empty"
    return f"does not match: {by.text}, but it is {'missing' if read is None else read}"


# --- a trace laid out ------------------------------------------------------------------------------------------


def explain(
    trace: tuple[PolicyTrace, ...], told: Mapping[tuple[str, str], str] = MappingProxyType({})
) -> str:
    """Every policy that was considered, in order: its lines, its clock, its levels. Of a past instant `told` says, by
    policy and line, or clock, how what was read is known. Ends without a newline."""
    return "\n\n".join("\n".join(written(each, told)) for each in trace) or "No policy serves this account."


def written(trace: PolicyTrace, told: Mapping[tuple[str, str], str]) -> list[str]:
    """One policy, the verdict first."""
    lines, clock = [f'Policy "{trace.policy}" ({trace.mode}): {trace.verdict}'], trace.clock
    for section in ("when", "unless"):
        judged = [line for line in trace.lines if line.section == section]
        if judged:
            lines.append(f"  {section}")
            lines += [text for line in judged for text in condition_lines(line, 4, trace.policy, told)]
    if clock is not None:
        how = told.get((trace.policy, clock.name), "")
        known = f" ({how})" if how else ""
        if clock.why_absent is not None:
            lines.append(f"  clock {clock.name}{known}: absent, {clock.why_absent}")
        else:
            lines += (f"  clock {clock.name}{known}", *(f"    {step}" for step in clock.steps))
    if trace.levels:
        lines.append("  levels")
    for level in trace.levels:
        stands = "" if level.text.startswith(level.state) else level.state
        lines.append(f"    {level.name}: {'; '.join(part for part in (stands, level.text) if part)}")
    lines += [f"  note: {note}" for note in trace.notes]
    return [" ".join(line.splitlines()) for line in lines]  # what a ticket says begins no line of ours


def condition_lines(
    line: LineTrace, indent: int, policy: str, told: Mapping[tuple[str, str], str]
) -> list[str]:
    """One condition with the value it read, and the lines inside it."""
    mark = "?  " if line.hidden else "yes" if line.held else "no "
    how = told.get((policy, line.text), "")
    value = HIDDEN if line.hidden else f"it is {value_words(line.read)}"
    known = how if line.hidden and how else ", ".join(part for part in (value, how) if part)
    read = "" if line.inner else f" ({known})"
    own = f"{' ' * indent}{mark} {line.text}{read}"
    inner = (text for each in line.inner for text in condition_lines(each, indent + 4, policy, told))
    return [own, *inner]


def value_words(read: Value) -> str:
    """A value as a person would say it."""
    if read is None:
        return "missing"
    if isinstance(read, bool):
        return "yes" if read else "no"
    if isinstance(read, tuple):
        return ", ".join(read) or "empty"
    return str(read)
