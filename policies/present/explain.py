"""What was considered for each policy at a look, with its verdict: as a trace in words, and laid out in lines.

It decides nothing. What a plan leaves out because nothing hangs on it, the lines behind a failed one and the clock of a
policy that does not match, is asked again here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from policies.language.clocks import HIDDEN, Reading
from policies.language.conditions import Condition
from policies.language.vocabulary import Mode
from policies.model import Instant, Seconds, Ticket, Value, spell
from policies.plan import Plan
from policies.present.reasons import due_words, moment
from policies.rules.assignment import reasons_of
from policies.rules.calendars import Count, Day
from policies.rules.ladder import Due, count_of, dues
from policies.rules.observe import UNREAD, PolicyRaised, Scene, Verdict, of, read_clock
from policies.rules.outcomes import Considered
from policies.state import Episode, How, Standing

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


# --- the lines -------------------------------------------------------------------------------------------------


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


# --- the clock -------------------------------------------------------------------------------------------------

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


# --- the levels ------------------------------------------------------------------------------------------------


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


# --- the verdict -----------------------------------------------------------------------------------------------

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


# --- the lines that people read --------------------------------------------------------------------------------


def explain(trace: tuple[PolicyTrace, ...]) -> str:
    """Every policy that was considered, in order: its lines, its clock, its levels. Ends without a newline."""
    return "\n\n".join("\n".join(written(each)) for each in trace) or "No policy serves this account."


def written(trace: PolicyTrace) -> list[str]:
    """One policy, the verdict first."""
    lines, clock = [f'Policy "{trace.policy}" ({trace.mode}): {trace.verdict}'], trace.clock
    for section in ("when", "unless"):
        judged = [line for line in trace.lines if line.section == section]
        if judged:
            lines.append(f"  {section}")
            lines += [text for line in judged for text in condition_lines(line, 4)]
    if clock is not None and clock.why_absent is not None:
        lines.append(f"  clock {clock.name}: absent, {clock.why_absent}")
    elif clock is not None:
        lines += (f"  clock {clock.name}", *(f"    {step}" for step in clock.steps))
    if trace.levels:
        lines.append("  levels")
    for level in trace.levels:
        stands = "" if level.text.startswith(level.state) else level.state
        lines.append(f"    {level.name}: {'; '.join(part for part in (stands, level.text) if part)}")
    lines += [f"  note: {note}" for note in trace.notes]
    return [" ".join(line.splitlines()) for line in lines]  # what a ticket says begins no line of ours


def condition_lines(line: LineTrace, indent: int) -> list[str]:
    """One condition with the value it read, and the lines inside it."""
    mark = "?  " if line.hidden else "yes" if line.held else "no "
    known = HIDDEN if line.hidden else f"it is {value_words(line.read)}"
    read = "" if line.inner else f" ({known})"
    own = f"{' ' * indent}{mark} {line.text}{read}"
    return [own, *(text for inner in line.inner for text in condition_lines(inner, indent + 4))]


def value_words(read: Value) -> str:
    """A value as a person would say it."""
    if read is None:
        return "missing"
    if isinstance(read, bool):
        return "yes" if read else "no"
    if isinstance(read, tuple):
        return ", ".join(read) or "empty"
    return str(read)
