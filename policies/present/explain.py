"""Why a plan is as it is: the words that go out with it; what was judged of each policy, now or at a look long ago, as
a trace in words, and that trace laid out in lines. It decides nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from operator import itemgetter
from types import MappingProxyType
from typing import Literal
from zoneinfo import ZoneInfo

from policies.language.clocks import CLOCKS, HIDDEN
from policies.language.conditions import said
from policies.language.operators import OVER_LIMIT_OF
from policies.language.policy import Level
from policies.language.vocabulary import Mode
from policies.model import Instant, Phrase, Seconds, Value, _, message, phrased, spell
from policies.plan import Notify, Occurrence, Plan, Say
from policies.rules.calendars import time_of_week
from policies.rules.judgement import (
    Coming,
    JudgedClock,
    JudgedLevel,
    JudgedLine,
    Judgement,
    cause_of,
    judgements,
    untold,
)
from policies.rules.ladder import LevelDecision, dues
from policies.rules.observe import PolicyRaised, of
from policies.rules.outcomes import NEVER_DUE
from policies.state import Cause, How, Passed

# --- what goes out with a plan ---------------------------------------------------------------------------------


def worded(plan: Plan) -> Plan:
    """The plan with the words that its notes, replies and notifications say, that the ledger keeps of the levels that
    fire, and that their episodes remember; the plan itself where nothing is carried out. Where words fail, that is
    said instead, and the plan does what it does."""
    decisions = {each.decision.policy.name: each.decision for each in plan.considered if each.decision}
    if not any(each.fires or each.sends for each in decisions.values()):
        return plan

    # 1. For the ledger and the episode, why a level fires: it is under way, or has just been passed.
    whys, fired = dict[str, Cause | str](), dict[str, str]()
    for name, decision in decisions.items():
        if decision.fires is not None:
            fired[name] = decision.fires.level.name
            try:
                whys[name] = of(decision.policy, cause_of, decision, decision.fires.level)
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
            why = of(decision.policy, cause_of, decision, level)
            step = of(decision.policy, next_step, decision, level, action.owner)
            action = replace(action, reasons=reasons(why), next_step=step)
        except PolicyRaised as raised:
            action = replace(action, reasons=(untold(raised),))
        wanted[place] = replace(each, action=action)

    return replace(
        plan,
        wanted=tuple(wanted),
        standings=tuple(standings),
        occurrences=tuple(
            caused(each, whys[each.policy])
            if each.what in FIRING and fired.get(each.policy) == each.level
            else each
            for each in plan.occurrences
        ),
    )


def caused(line: Occurrence, why: Cause | str) -> Occurrence:
    """The line, with why the level fired."""
    return replace(line, text=why) if isinstance(why, str) else replace(line, cause=why)


def reasons(cause: Cause) -> tuple[str, ...]:
    """Why a level fires: who ordered it, if somebody did, and what the clock says against the level's limit."""
    kind, limit = cause.limit
    ordered = _("escalated {by}", by=cause.ordered) if cause.ordered else ""
    match kind:
        case "at":
            against = _("{share}% of the time to it", share=limit)
        case "before":
            against = _("{span} before it", span=spell(limit))
        case "after":
            against = spell(limit)
        case "on":
            text = _("{time} has come", time=time_of_week(limit))
            return (ordered, text) if cause.ordered else (text,)
    clock = CLOCKS.get(cause.clock)  # a line of the ledger may outlive it
    phrase = _(clock.phrase) if clock else "{}"
    if cause.since:
        span = _("some time") if cause.elapsed is None else spell(cause.elapsed)
        text = _('{span} since "{level}"', span=span, level=cause.since)
    elif cause.due is not None:
        text = phrase.format(_("due {at}", at=moment(cause.due, zone_of(cause.zone))))
    else:
        text = phrase.format(_("an unknown time") if cause.elapsed is None else spell(cause.elapsed))
    text = _("{told} (limit {limit})", told=text, limit=against)
    return (ordered, text) if cause.ordered else (text,)


def because(cause: Cause) -> str:
    """Why a level fired: the reasons, and the conditions that held. What decided comes first: the clock, or conditions
    that came to hold when its time was over already."""
    conditions = [said(*test) for test in cause.conditions]
    return "; ".join((*conditions, *reasons(cause)) if cause.late else (*reasons(cause), *conditions))


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


# --- what is said of an instant, a level and a line --------------------------------------------------------------


@lru_cache(maxsize=1024)
def moment(at: Instant, zone: tzinfo) -> str:
    """An instant for people: `2026-11-25 14:00 EST`, with seconds where there are some."""
    local = datetime.fromtimestamp(at, zone)
    clock = local.strftime("%H:%M:%S" if local.second else "%H:%M")
    return f"{local.date().isoformat()} {clock} {local.tzname()}"


def zone_of(name: str) -> tzinfo:
    """The time zone of this name."""
    return UTC if name == "UTC" else ZoneInfo(name)


def level_words(level: JudgedLevel, zone: tzinfo, absent: Phrase | None = None) -> str:
    """When a level is due, or why nobody can tell; `absent` is why its clock is."""
    before = f'"{level.since}"' if level.since else _("a level before it")
    since = _("the clock's start") if level.since is None else before
    reached = level.due if level.reached is None else level.reached
    due_at = _("due {at}", at=moment(reached, zone)) if reached is not None else ""
    end = _("the deadline, {at}", at=moment(level.end, zone)) if level.end is not None else ""
    span = spell(level.span)
    match level.why:
        case "passed":
            text = _("{state} at {at}", state=_(level.state), at=moment(level.passed or 0, zone))
        case "held back":
            text = _("waits: {why}", why=level.held_back)
        case "clock absent":
            text = _("not due: {why}", why=phrased(absent))
        case "level before not passed":
            text = _("not due: it counts from {level}, which is not passed", level=before)
        case "clock not started":
            text = _("not due: the clock has not started")
        case "paused":
            text = _("not due while paused: {span} after {since}", span=span, since=since)
        case "counted":
            text = _("{due}, {span} after {since}", due=due_at, span=span, since=since)
        case "after deadline":
            text = _("{due}, {span} after {since}", due=due_at, span=span, since=end)
        case "before deadline":
            text = _("{due}, {span} before {end}", due=due_at, span=span, end=end)
        case "at start":
            text = _("{due}, at the target's start: no business time lies before the deadline", due=due_at)
        case "share":
            text = _(
                "{due}, {share}% of the {span} to {end}", due=due_at, share=level.share, span=span, end=end
            )
        case "start not told":
            text = _(NEVER_DUE)
        case "weekly":
            text = _("{due}, the next {time}", due=due_at, time=time_of_week(level.span))
    if level.until is not None:
        by, at = level.approver or _("somebody"), moment(level.until, zone)
        if level.then == "fire":
            told = _("{who} decides until {at}, else it fires", who=by, at=at)
        elif level.then == "reject":
            told = _("{who} decides until {at}, else it is rejected", who=by, at=at)
        else:
            told = _("{who} decides until {at}, else {next} is asked", who=by, at=at, next=level.then)
        text = f"{text}; {told}"
    elif level.approver:
        text = f"{text}; " + _("{who} decides", who=level.approver)
    if level.opens is None:
        return text
    opens = _("waits for {calendar} to open at {at}", calendar=level.within, at=moment(level.opens, zone))
    return f"{text}; {opens}"


def level_steps(one: Judgement, level: JudgedLevel, zone: tzinfo) -> Iterator[str]:
    """The sum behind a level's due: from what it counts, how much of it has been counted by the look, what is left."""
    clock = one.clock
    if clock is None or clock.absent is not None:
        return
    on = " " + _("on calendar {name}", name=clock.calendar) if clock.calendar else ""
    span = spell(level.span) + on
    if level.why == "passed":
        if level.due is None:
            return
        yield _("it was due {at}", at=moment(level.due, zone))
        if level.passed is not None:
            late, at = level.passed - level.due, moment(level.passed, zone)
            text = _("{state} at {at}", state=_(level.state), at=at)
            yield _("{text}, {span} later", text=text, span=spell(late)) if late > 0 else text
        return
    if level.why in ("counted", "paused"):
        counted = None
        if level.since is None and clock.start is not None:
            counted = clock.elapsed
            yield _("counts from {at}: {why}", at=moment(clock.start, zone), why=phrased(clock.because))
        elif before := next((each for each in one.levels if each.name == level.since and each.passed), None):
            why = _('level "{name}" was passed', name=before.name)
            yield _("counts from {at}: {why}", at=moment(before.passed or 0, zone), why=why)
        if counted is not None:
            yield _("counted until {at}: {span}", at=moment(one.now, zone), span=spell(counted)) + on
            left = level.span - counted
            yield (
                _("wanted are {span}: {left} left", span=span, left=spell(left))
                if left > 0
                else _("wanted are {span}: they are over", span=span)
            )
        else:
            yield _("wanted are {span}", span=span)
    elif level.end is not None:
        yield _("the deadline is {at}", at=moment(level.end, zone))
        if level.share is not None and clock.start is not None:
            yield _("the time to it, from {at}: {span}", at=moment(clock.start, zone), span=span)
            part = spell(level.span * level.share // 100) + on
            yield _("{share}% of that: {span}", share=level.share, span=part)
        elif level.why == "after deadline":
            yield _("wanted are {span} after it", span=span)
        else:
            yield _("wanted are {span} before it", span=span)
    reached = level.due if level.reached is None else level.reached
    if reached is not None:
        yield _("that is {at}", at=moment(reached, zone))
    if level.opens is not None:
        yield _("{calendar} opens at {at}", calendar=level.within, at=moment(level.opens, zone))


def line_text(line: JudgedLine) -> str:
    """What a line says, as it was written."""
    return said(line.path, line.operator, line.wanted, [line_text(each) for each in line.inner])


def read_words(line: JudgedLine) -> Value:
    """What a line has read, for people: a number and the limit that it is held against are said in one."""
    if line.operator != OVER_LIMIT_OF or not isinstance(line.read, tuple):
        return line.read
    value, *limit = line.read
    if not limit:
        return _("{value}, the {role} has no limit", value=value, role=line.wanted)
    return _("{value}, the limit of {name} is {limit}", value=value, name=limit[0], limit=limit[1])


def coming_words(one: Coming) -> str:
    """Why this level comes, or came, and what it waits for."""
    if one.judged is None:
        return one.why if isinstance(one.why, str) else because(one.why)
    waits = _("waits: {why}", why=one.names) if one.names else _(one.waits) if one.waits else ""
    return "; ".join(filter(None, (level_words(one.judged, zone_of(one.zone)), waits)))


# --- a trace: what was considered, in words ---------------------------------------------------------------------


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
    """A level, when it is due, and how it stands: waiting, due, or how it was passed; `steps` are the sentences of
    arithmetic behind it, in order."""

    name: str
    due: Instant | None
    state: str
    text: str = ""
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTrace:
    """All that was considered for one policy, in the order it was considered."""

    policy: str
    mode: Mode
    holds: bool
    verdict: str
    lines: tuple[LineTrace, ...] = ()
    clock: ClockTrace | None = None
    levels: tuple[LevelTrace, ...] = ()
    notes: tuple[str, ...] = ()


def traced(plan: Plan) -> tuple[PolicyTrace, ...]:
    """The trace of each policy that serves the ticket, in file order, as the plan leaves it."""
    return tuple(map(trace_of, judgements(plan)))


def trace_of(one: Judgement) -> PolicyTrace:
    """What a policy came to, in words."""
    zone, clock = zone_of(one.zone), one.clock
    absent = clock.absent if clock else None
    lines = (
        *(line_trace(line, "when") for line in one.when),
        *(line_trace(line, "unless") for line in one.unless),
    )
    silenced = _(
        'does not reply, assign or set fields while policy "{policy}" runs, which is exclusive',
        policy=one.silenced,
    )
    ends = (
        _("episode {number} ended at {at}: {why}", number=number, at=moment(at, zone), why=why)
        for number, at, why in one.ended
    )
    return PolicyTrace(
        policy=one.policy,
        mode=one.mode,
        holds=one.holds,
        verdict=verdict(one, lines, zone),
        lines=lines,
        clock=clock_trace(clock, one.now, zone) if clock else None,
        levels=tuple(
            LevelTrace(
                name=each.name,
                due=each.due,
                state=each.state,
                text=level_words(each, zone, absent),
                steps=tuple(level_steps(one, each, zone)),
            )
            for each in one.levels
        ),
        notes=(
            *ends,
            *one.warnings,
            *((one.chosen,) if one.chosen else ()),
            *((silenced,) if one.silenced else ()),
        ),
    )


def line_trace(line: JudgedLine, section: Literal["when", "unless"]) -> LineTrace:
    """A line, in words."""
    return LineTrace(
        section=section,
        path=line.path,
        text=line_text(line),
        read=read_words(line),
        held=line.held,
        inner=tuple(line_trace(each, section) for each in line.inner),
        hidden=line.hidden,
    )


KINDS = {
    "holiday": message("holiday"),
    "closed": message("closed by the calendar"),
    "open": message("special hours"),
}


def clock_trace(clock: JudgedClock, now: Instant, zone: tzinfo) -> ClockTrace:
    """How the clock was read, and the sum until the look: the start, each day, each pause, the total."""
    if clock.absent is not None:
        return ClockTrace(name=clock.name, start=None, why_absent=phrased(clock.absent))
    deadline: tuple[str, ...] = ()
    if clock.due is not None:
        where = (
            _("{span} left", span=spell(clock.left))
            if clock.left >= 0
            else _("missed by {span}", span=spell(-clock.left))
        )
        deadline = (_("the deadline is {at}: {where}", at=moment(clock.due, zone), where=where),)
    if clock.start is None:
        return ClockTrace(name=clock.name, start=None, steps=deadline)
    name = " " + _("on calendar {name}", name=clock.calendar) if clock.calendar else ""
    steps = (
        _("counts from {at}: {why}", at=moment(clock.start, zone), why=phrased(clock.because)),
        *day_lines(clock),
        *(
            _("paused from {begin} to {end}", begin=moment(pause, zone), end=moment(resume, zone))
            for pause, resume in clock.paused
        ),
        _("counted until {at}: {span}", at=moment(now, zone), span=spell(clock.elapsed or 0)) + name,
        *deadline,
    )
    return ClockTrace(name=clock.name, start=clock.start, elapsed=clock.elapsed, steps=steps)


def day_lines(clock: JudgedClock) -> Iterator[str]:
    """A line for each day, such as `2026-11-26: 0m (holiday)`; a long middle is one line."""
    half = len(clock.days) // 2
    for place, (date, counted, kind) in enumerate(clock.days):
        if clock.middle is not None and place == half:
            first, last, total, many = clock.middle
            yield _(
                "{first} to {last}: {span} in {days} days",
                first=first,
                last=last,
                span=spell(total),
                days=many,
            )
        yield f"{date}: {spell(counted)}{f' ({_(KINDS[kind])})' if kind else ''}"


FIRING = {
    How.FIRED: message("fires {level}"),
    How.OBSERVED: message("would fire {level}"),
    How.SKIPPED: message("skips, as part of the backlog, {level}"),
}


def verdict(one: Judgement, lines: tuple[LineTrace, ...], zone: tzinfo) -> str:
    """What the policy came to, in one sentence."""
    ruling, level = one.ruling, _('level "{name}"', name=one.ruling.level)
    match ruling.came:
        case "hidden":
            lost = next((line.text for line in lines if line.section == "when" and line.hidden), _("a line"))
            return _("cannot be judged: {line}, which is {hidden}", line=lost, hidden=_(HIDDEN))
        case "excluded":
            return _("excluded: {line}", line=line_text(one.unless[ruling.line]))
        case "refused":
            return refusal(one.when[ruling.line])
        case "over":
            return _(
                "matches, but its last episode ended ({why}), and neither `when` nor the clock has started anew",
                why=ruling.because,
            )
        case "fires":
            return _(FIRING[ruling.how or How.FIRED], level=level)
        case "says again":
            return _("says {level} again", level=level)
        case "makes up":
            return _("makes up for what {level} had left out", level=level)
        case "asks":
            if one.mode == "observe":
                return _("would ask for approval of {level}", level=level)
            return _("asks for approval of {level}", level=level)
        case "not approved":
            return _("passes over {level}, which nobody approved in time", level=level)
        case "taken back":
            return _("takes back what it wrote: de-escalated {why}", why=ruling.because)
        case "waits for an undo":
            return _("waits: what was written here is being taken back first")
        case "snoozed":
            return _("snoozed until {at}", at=moment(ruling.until or 0, zone))
        case "clock absent":
            return _("waits: {why}", why=phrased(one.clock.absent) if one.clock else "")
        case "all passed":
            return _("every level is passed")
        case "waits":
            upcoming = next((each for each in one.levels if each.name == ruling.level), None)
            if (
                upcoming is None
            ):  # kept by another version, say: still one verdict, and the policies behind it
                return _("waits for {level}, of which no more is known", level=level)
            return _("waits for {level}: {when}", level=level, when=level_words(upcoming, zone))
        case "raised":
            return _("cannot be explained: {why}", why=ruling.because)


def refusal(line: JudgedLine) -> str:
    """The line of `when` that decided against the policy."""
    if line.inner:
        if line.path == "any":
            return _("does not match: {line}, of which none hold", line=line_text(line))
        return _("does not match: {line}, of which not all hold", line=line_text(line))
    read = value_words(read_words(line))
    return _("does not match: {line}, but it is {value}", line=line_text(line), value=read)


# --- a trace laid out ------------------------------------------------------------------------------------------


def explain(
    trace: tuple[PolicyTrace, ...], told: Mapping[tuple[str, str], str] = MappingProxyType({})
) -> str:
    """Every policy that was considered, in order: its lines, its clock, its levels. Of a past instant `told` says, by
    policy and line, or clock, how what was read is known. Ends without a newline."""
    return "\n\n".join("\n".join(written(each, told)) for each in trace) or _(
        "No policy serves this account."
    )


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
        state = _(level.state)
        stands = "" if level.text.startswith(state) else state
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
    if how == "unknown":
        known = how if line.hidden else f"unknown; played as {value_words(line.read)}"
    else:
        known = f"{value}, {how}" if how else value
    read = "" if line.inner else f" ({known})"
    own = f"{' ' * indent}{mark} {line.text}{read}"
    inner = (text for each in line.inner for text in condition_lines(each, indent + 4, policy, told))
    return [own, *inner]


def value_words(read: Value) -> str:
    """A value as a person would say it."""
    if read is None:
        return _("missing")
    if isinstance(read, bool):
        return _("yes") if read else _("no")
    if isinstance(read, tuple):
        return ", ".join(read) or _("empty")
    return str(read)
