"""Why a look decided as it did and what comes next, as values: what is kept of it for whoever asks later, in whatever
words.

It decides nothing and makes no sentence; `policies.present.explain` does, when somebody asks. What a plan leaves out
because nothing hangs on it, the lines behind a failed one and the clock of a policy that does not match, is asked again
here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from policies.language.clocks import Reading
from policies.language.conditions import Condition
from policies.language.policy import Level, Policy
from policies.language.vocabulary import STRATEGIES, Mode
from policies.model import Instant, Phrase, Seconds, Ticket, Value, Wanted
from policies.plan import Plan
from policies.rules.assignment import owner_of, reasons_of, ticket_owner
from policies.rules.calendars import Count, DayKind, Interval
from policies.rules.episode import arrived
from policies.rules.ladder import Due, LevelDecision, Why, count_of, decide_by, dues, lapse
from policies.rules.merge import assignment_by
from policies.rules.observe import UNREAD, Observation, PolicyRaised, Scene, of, read_clock
from policies.rules.outcomes import Considered
from policies.state import Cause, Episode, How, Owner, Standing, latest_passed

LONGEST_READ = 200
"""How much of a text is kept that a line has read, in characters."""

KEPT_DAYS = 14
"""How many days of a sum are kept one by one; those in the middle of a longer one are summed."""

ACKNOWLEDGED = Phrase("the ticket was acknowledged")


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedLine:
    """One condition line as it was judged: its test as written, what it read, whether it held. `operator` is `any`,
    `all` or `and` for one that joins others. `hidden` says that it neither holds nor fails, since the helpdesk does not
    show what it reads."""

    path: str
    operator: str
    wanted: Wanted | None = None
    read: Value = None
    held: bool = False
    hidden: bool = False
    inner: tuple["JudgedLine", ...] = ()


DaySum = tuple[str, Seconds, DayKind]
"""A date, how much of it was counted, and how it is out of the ordinary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedClock:
    """How the clock was read, or why it is `absent`; and the sum from what levels count from until the look: each of
    the `days`, of a long sum the first and last ones, the `middle` with its first and last date, what was counted in
    it and its number of days; each pause; the total. `left` until the deadline `due` is negative once it was missed."""

    name: str
    absent: Phrase | None = None
    start: Instant | None = None
    because: Phrase | None = None
    elapsed: Seconds | None = None
    days: tuple[DaySum, ...] = ()
    middle: tuple[str, str, Seconds, int] | None = None
    paused: tuple[Interval, ...] = ()
    calendar: str = ""
    due: Instant | None = None
    left: Seconds = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedLevel:
    """A level, when it is due, and how it stands: waiting, due, or how it was passed, and when.

    `why` says what makes it due then, or keeps anybody from knowing. `span` is what is counted `since` the level
    before, or from the clock's start if that is None; of a deadline what lies between it and `end`, of a `share` of the
    time to it the whole, and of a time of the week what lies between it and the beginning of Monday. `reached` is when
    the clock alone reaches it, if that is another instant; it `opens` by the calendar `within`. `held_back` is why it
    waits for the helpdesk's names. One that waits for approval has who is the `approver`, if they were named, `until`
    when, if that has an end, and what becomes of it `then`: fire, reject, or the name of who is asked next.
    """

    name: str
    state: str = "waiting"
    due: Instant | None = None
    why: Why
    reached: Instant | None = None
    opens: Instant | None = None
    within: str = ""
    span: Seconds = 0
    share: int | None = None
    end: Instant | None = None
    since: str | None = None
    passed: Instant | None = None
    held_back: str = ""
    approver: str = ""
    until: Instant | None = None
    then: str = ""


Came = Literal[
    "hidden",
    "excluded",
    "refused",
    "over",
    "fires",
    "says again",
    "makes up",
    "asks",
    "not approved",
    "taken back",
    "waits for an undo",
    "snoozed",
    "clock absent",
    "all passed",
    "waits",
    "raised",
]
"""What a policy came to at a look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What a policy came to: which `level` it is about, and `how` one that fires is passed; by which line, counted from
    0 in `when`, or in `unless` if it excludes, it was refused; `until` when it is quiet. `because` is the word for how
    its last episode ended, what was said by who de-escalated it, or what was raised."""

    came: Came
    level: str = ""
    how: How | None = None
    line: int = 0
    until: Instant | None = None
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """All that was considered for one policy at a look. `zone` is the time zone of its calendar; `ended` are the
    number, end and reason of each episode that ended; `warnings` and `chosen` what is said of an owner and of whom it
    chose; `silenced` is the exclusive policy beside which it does not reply, assign or set fields."""

    policy: str
    mode: Mode
    holds: bool
    ruling: Ruling
    now: Instant
    zone: str = "UTC"
    when: tuple[JudgedLine, ...] = ()
    unless: tuple[JudgedLine, ...] = ()
    clock: JudgedClock | None = None
    levels: tuple[JudgedLevel, ...] = ()
    ended: tuple[tuple[int, Instant, str], ...] = ()
    warnings: tuple[str, ...] = ()
    chosen: str = ""
    silenced: str = ""


def untold(raised: PolicyRaised) -> str:
    """What is said where nobody can say why."""
    return f"why cannot be told: {type(raised.__cause__).__name__}: {raised.__cause__}"


def cause_of(decision: LevelDecision, level: Level) -> Cause:
    """Why this level fires now: who ordered it, if somebody did; what the clock says against the level's limit; and the
    conditions that hold, but for the silent last."""
    episode, count, reading, fires = decision.episode, decision.count, decision.seen.reading, decision.fires
    cause = Cause(
        clock=decision.policy.clock,
        limit=("on", level.on)
        if level.on is not None
        else ("at", level.at)
        if level.at is not None
        else ("before", level.before)
        if level.before is not None
        else ("after", level.after or 0),
        zone=str(count.calendar.timezone),
        ordered=episode.pushed_because if episode.pushed == level.name else "",
        conditions=tuple(held(decision.policy.when.lines[:-1], decision.seen.ticket)),
        late=fires is not None and fires.at is not None and fires.at < episode.started,
    )
    if level.on is not None:
        return cause
    if level.clock == "since_last_level":
        names = [each.name for each in decision.policy.levels]
        before = names[names.index(level.name) - 1]
        start = next((each.at for each in episode.passed if each.level == before), None)
        cause = replace(cause, since=before)
    elif reading.due is not None:
        return replace(cause, due=reading.due)
    else:
        start = episode.clock_start
    return cause if start is None else replace(cause, elapsed=count.elapsed(start))


def held(lines: Iterable[Condition], ticket: Ticket) -> Iterator[tuple[str, str, Wanted]]:
    """The tests that hold; of a group, those within it."""
    for line in lines:
        if not line.judge(ticket):
            continue
        yield from held(line.inner, ticket)
        if line.wanted is not None:
            yield line.path, line.operator, line.wanted


def judgements(plan: Plan) -> tuple[Judgement, ...]:
    """The judgement on each policy that serves the ticket, in file order, as the plan leaves it. One that raises is
    said, and keeps nobody from the others."""
    scene, found = plan.scene, list[Judgement]()
    for one in plan.considered:
        if scene is None:
            raise ValueError("the plan does not know what it was made from")
        policy = one.seen.policy
        state = next(each for each in plan.standings if each.policy == policy.name)
        try:
            found.append(of(policy, judgement_of, scene, one, state))
        except PolicyRaised as raised:
            why = f"{type(raised.__cause__).__name__}: {raised.__cause__}"
            found.append(
                Judgement(
                    policy=policy.name,
                    mode="enforce" if scene.enforces(policy) else "observe",
                    holds=one.seen.verdict.holds,
                    ruling=Ruling(came="raised", because=why),
                    now=scene.now,
                )
            )
    return tuple(found)


def judgement_of(scene: Scene, one: Considered, state: Standing) -> Judgement:
    """What this policy came to. `state` is as the plan leaves it."""
    seen, policy, episode, reading = one.seen, one.seen.policy, state.running, one.seen.reading
    if reading is UNREAD:
        reading = read_clock(scene, policy, seen.ticket, seen.history, seen.before, seen.before.episode)
    count = one.decision.count if one.decision else count_of(scene, seen)
    ladder = dues(policy, reading, episode, count) if episode else ()
    sole = scene.exclusive
    return Judgement(
        policy=policy.name,
        mode="enforce" if scene.enforces(policy) else "observe",
        holds=seen.verdict.holds,
        ruling=ruling(scene, one, reading, episode, ladder),
        now=scene.now,
        zone=str(count.calendar.timezone),
        when=tuple(judged_line(line, seen.ticket) for line in policy.when.lines),
        unless=tuple(judged_line(line, seen.ticket) for line in policy.unless.lines),
        clock=judged_clock(policy.clock, reading, episode, count),
        levels=tuple(judged_level(scene, each, policy, reading, episode, count) for each in ladder)
        if episode
        else (),
        ended=tuple((each.number, each.ended or 0, each.reason or "") for each in seen.ended),
        warnings=one.warnings,
        chosen=reasons_of(one.chosen) if one.chosen else "",
        silenced=sole.policy if sole is not None and episode is not None and episode.key != sole.key else "",
    )


def judged_line(line: Condition, ticket: Ticket) -> JudgedLine:
    """The line as judged on this ticket, with the value it read."""
    held = line.judge(ticket)
    read = None if held is None else (line.shown or line.read)(ticket)
    return JudgedLine(
        path=line.path,
        operator=line.operator,
        wanted=line.wanted,
        read=f"{read[:LONGEST_READ]}…" if isinstance(read, str) and len(read) > LONGEST_READ else read,
        held=held is True,
        hidden=held is None,
        inner=tuple(judged_line(each, ticket) for each in line.inner),
    )


def judged_clock(clock: str, reading: Reading, episode: Episode | None, count: Count) -> JudgedClock:
    """How the clock was read, and the sum from what levels count from until now."""
    if reading.why_absent is not None:
        return JudgedClock(name=clock, absent=reading.why_absent)
    left = 0 if reading.due is None else count.calendar.between(count.now, reading.due)
    start = reading.start if episode is None else episode.clock_start
    if start is None:
        return JudgedClock(name=clock, due=reading.due, left=left)
    days = [day for stretch in count.running(start) for day in count.calendar.days(*stretch)]
    half = KEPT_DAYS // 2
    middle = days[half:-half] if len(days) > KEPT_DAYS else []
    return JudgedClock(
        name=clock,
        start=start,
        because=reading.because if start == reading.start else ACKNOWLEDGED,
        elapsed=count.elapsed(start),
        days=tuple(
            (each.date.isoformat(), each.counted, each.kind)
            for each in ((*days[:half], *days[-half:]) if middle else days)
        ),
        middle=(
            middle[0].date.isoformat(),
            middle[-1].date.isoformat(),
            sum(each.counted for each in middle),
            len(middle),
        )
        if middle
        else None,
        paused=tuple((max(pause, start), resume) for pause, resume in count.paused if resume > start),
        calendar=count.calendar.name,
        due=reading.due,
        left=left,
    )


def judged_level(
    scene: Scene, due: Due, policy: Policy, reading: Reading, episode: Episode, count: Count
) -> JudgedLevel:
    """When a level is due, or why nobody can tell, and how it stands in this episode."""
    level, end, passed = due.level, reading.due, None
    span = level.after or level.before or level.on or 0
    way = episode.under_way
    state = {each.level: each.how.value for each in episode.passed}.get(level.name, "waiting")
    if way is not None and level.name == way.level:
        state = "due"
    elif way is not None and level.name in way.overtaken:
        state = How.OVERTAKEN.value
    elif state == "waiting" and level.name == episode.awaiting:
        state = "awaiting approval" if scene.enforces(policy) else "would ask for approval"
    asks = level.approval if level.name == episode.awaiting and state.endswith("approval") else None
    since: str | None = None
    if level.clock == "since_last_level":
        place = policy.levels.index(level)
        since = policy.levels[place - 1].name if place else ""
    if due.why == "passed":
        passed = next(each.at for each in reversed(episode.passed) if each.level == level.name)
    if due.why == "share":
        span = max(count.calendar.between(reading.start or 0, reading.due or 0), 0)
    return JudgedLevel(
        name=level.name,
        state=state,
        due=due.at,
        why=due.why,
        reached=None if due.reached == due.at else due.reached,
        opens=due.opens,
        within=level.within or "" if due.opens is not None else "",
        span=span,
        share=level.at if due.why == "share" else None,
        end=end if due.why in ("after deadline", "before deadline", "share") else None,
        since=since,
        passed=passed,
        held_back=level.waits if due.why == "held back" else "",
        approver=episode.approver if asks else "",
        until=decide_by(episode, asks, count) if asks else None,
        then=(asks.then_owner if lapse(asks, episode) == "ask" else asks.then) or "" if asks else "",
    )


def ruling(
    scene: Scene, one: Considered, reading: Reading, episode: Episode | None, ladder: tuple[Due, ...]
) -> Ruling:
    """What the policy came to."""
    seen, decision, by = one.seen, one.decision, one.seen.verdict.by
    if seen.verdict.unknown and (decision is None or decision.fires is None):
        return Ruling(came="hidden")
    if episode is None and by is not None:
        excludes = seen.verdict.excluded
        lines = seen.policy.unless.lines if excludes else seen.policy.when.lines
        place = next(place for place, line in enumerate(lines) if line is by)
        return Ruling(came="excluded" if excludes else "refused", line=place)
    if episode is None or decision is None:
        ended = seen.state.episode
        return Ruling(came="over", because=ended.reason or "" if ended else "nothing")
    if decision.fires is not None:
        return Ruling(came="fires", level=decision.fires.level.name, how=decision.how)
    if decision.repeats is not None:
        return Ruling(came="says again", level=decision.repeats.name)
    if decision.makes_up is not None:
        return Ruling(came="makes up", level=decision.makes_up.name)
    if decision.lapses is not None:
        return Ruling(came="not approved", level=decision.lapses.name)
    if decision.asks is not None:
        return Ruling(came="asks", level=decision.asks.name)
    if episode.undoing:
        return Ruling(came="taken back", because=episode.undone_because)
    if scene.taking_back:
        return Ruling(came="waits for an undo")
    if scene.is_snoozed:
        return Ruling(came="snoozed", until=scene.snoozed_until)
    if reading.why_absent is not None:
        return Ruling(came="clock absent")
    names = {each.level for each in episode.passed}
    ahead = [each for each in ladder if each.level.name not in names]
    if not ahead:
        return Ruling(came="all passed")
    known = [(each.at, place) for place, each in enumerate(ahead) if each.at is not None]
    return Ruling(came="waits", level=ahead[min(known)[1] if known else 0].level.name)


# --- what comes next -------------------------------------------------------------------------------------------

Waits = Literal["", "waits for names", "waits for approval", "would wait for approval", "snoozed"]
"""What else keeps a level waiting that its clock has reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """The level that is to be seen to next on one ticket by one policy. `due` is when its clock reaches it; `acts`,
    when it may act, later where a calendar or a snooze keeps it waiting, None where a person or a directory does.
    `observes` says that nothing would come of it but a line; such a level is past if it was observed. `to` is who will
    own it, where that is known; `owner`, who owns the ticket until then, by a level that was enforced.

    `why` says what made a level fire that is past or held; what comes is told as it was `judged`, by a calendar of the
    time zone `zone`, and with what else it `waits` for, `names` of the helpdesk among that.
    """

    level: str
    due: Instant
    acts: Instant | None
    observes: bool
    why: Cause | str = ""
    owner: str | None = None
    to: str | None = None
    judged: JudgedLevel | None = None
    zone: str = "UTC"
    waits: Waits = ""
    names: str = ""


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
            _, place = min((urgency(each, plan.now), place) for place, each in enumerate(ahead))
            found[one.seen.policy.name] = replace(ahead[place], owner=owner.name if owner else None)
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
        holder = owner_then(scene, seen, ahead, each.level, holder)
        if each.at is None or each.reached is None:
            continue
        name = each.level.name
        still: Waits = ""
        free: Instant | None = max(each.opens or each.at, quiet or 0)
        if name in waits:
            free, still = None, "waits for names"
        elif name in ahead.asked_for - ahead.approved:
            free, still = None, "would wait for approval" if observes else "waits for approval"
            if each.level.approval is not None and lapse(each.level.approval, ahead) == "fire":
                free = decide_by(ahead, each.level.approval, count)
        elif quiet is not None:
            still = "snoozed"
        found.append(
            Coming(
                level=name,
                due=each.reached,
                acts=free,
                observes=observes,
                to=holder.name,
                judged=judged_level(scene, each, willing, reading, ahead, count),
                zone=str(count.calendar.timezone),
                waits=still,
                names=waits.get(name, ""),
            )
        )
    return tuple(found)


def owner_then(
    scene: Scene, seen: Observation, episode: Episode, level: Level, before: Owner | None
) -> Owner:
    """Who would own the ticket with this level, as things stand; the group, where a strategy chooses among its people
    only then. `before` is the owner until then."""
    ticket, assign = scene.ticket, level.assign
    if assign is not None and assign.agent in STRATEGIES:
        assign = replace(assign, agent=None)
    if assign is not None and (made := assignment_by(scene, seen, episode, assign).assign):
        ticket = replace(ticket, group=made.group, assignee=made.assignee)
    return owner_of(level, ticket, before, scene.directory, scene.policies.default_owner).owner
