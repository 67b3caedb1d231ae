"""How an episode begins, goes on and ends: reasons, stop rules, acknowledgements, restarted clocks (rules 4, 5,
10, 13)."""

from dataclasses import dataclass, replace
from itertools import groupby

from policies.history import OVER, Fact, History, Sight, enters
from policies.language.clocks import Reading
from policies.language.policy import Policy
from policies.language.vocabulary import STOPS
from policies.model import Change, Instant, Status, Ticket, Who
from policies.plan import Occurrence
from policies.rules.own_writes import keys_of, person_of
from policies.rules.scene import Look, Scene, Verdict, judged, kept_matching, read, seen_by
from policies.state import FIRED, Episode, How, Owed, Passed, Standing, UnderWay, latest_passed


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Why an episode ends; for a stop, when and where in the history. `undone` says that solving or closing was
    a thing of the past already, so that `when` may hold again."""

    reason: str
    stop: str | None = None
    at: Instant = 0
    sequence: int = -1
    undone: bool = False

    @property
    def text(self) -> str:
        """The reason as the episode keeps it: `stop_on agent_reply`."""
        return f"{self.reason} {self.stop}" if self.stop else self.reason


def live(standing: Standing) -> Episode | None:
    """The running episode, if there is one."""
    episode = standing.episode
    return episode if episode is not None and episode.ended is None else None


def has_passed(episode: Episode) -> bool:
    """Whether a level was passed in this episode, those aside that it began behind."""
    return len(episode.passed) > episode.before


def has_fired(episode: Episode) -> bool:
    """Whether a level of this episode fired or was observed, so that it can be acknowledged."""
    return any(each.how in FIRED for each in episode.passed[episode.before :])


def with_fired(episode: Episode, seen: int, *, told: bool) -> Episode:
    """The episode once a level has fired: of the first one it is kept where in the history that was (rule 10)."""
    return episode if episode.heard is not None else replace(episode, heard=seen, told=told)


def climbed(episode: Episode) -> Episode:
    """The episode as it will be once the level under way has fired."""
    way = episode.under_way
    if way is None:
        return episode
    before = tuple(Passed(level=name, how=How.OVERTAKEN, at=way.at) for name in way.overtaken)
    level = Passed(level=way.level, how=How.FIRED, at=way.at, due=way.due, owner=way.owner, why=way.why)
    return replace(
        episode,
        passed=(*episode.passed, *before, level),
        owner=way.owner,
        repeated=0,
        last_sent=None if way.instead else way.at,
        owes=owed(way),
    )


def answered(episode: Episode) -> Episode:
    """The episode once levels were passed: one of them does not wait for approval any more."""
    waits = not any(each.level == episode.awaiting for each in episode.passed)
    return episode if waits else replace(episode, awaiting=None)


def replanned(episode: Episode) -> Episode:
    """The episode without what was merely planned and has no outcome: it is decided afresh."""
    owes = replace(episode.owes, sent=False) if episode.owes else None
    return replace(episode, under_way=None, asking=None, said_before=None, owes=owes)


def owed(way: UnderWay) -> Owed | None:
    """What a level under way leaves to be made up for."""
    return Owed(level=way.level, parts=way.owes, instead=way.instead) if way.owes else None


def ending(
    policy: Policy,
    ticket: Ticket,
    history: History,
    episode: Episode,
    verdict: Verdict,
    *,
    restarted: bool,
    enforced: bool,
) -> End | None:
    """The first reason that applies, None if the episode goes on. What cannot be read is no reason (rule 8)."""
    over = became_over(policy, ticket, history, episode.seen)
    stop = stopping(policy, history, episode)
    if over is not None or stop is not None:
        return over or stop
    if verdict.when is False:
        return End(reason="when")
    if verdict.excluded is True:
        return End(reason="unless")
    if restarted:
        return End(reason="clock")
    return End(reason="enforced") if enforced and not verdict.unknown else None


def became_over(policy: Policy, ticket: Ticket, history: History, seen: int) -> End | None:
    """Closed or solved, now or at any time since the fact `seen`, even if undone since."""
    statuses = (Status.CLOSED,) if policy.when.asks_solved else (Status.CLOSED, Status.SOLVED)
    for status in statuses:
        since = any(enters(each, status) and each.act.sequence > seen for each in history.changes("status"))
        if ticket.status == status or since:
            return End(reason=status.value, undone=ticket.status not in OVER)
    return None


def stopping(policy: Policy, history: History, episode: Episode) -> End | None:
    """The first fact of `stop_on` that is new enough to stop this episode."""
    newer = (fact for fact in history.facts if fact.act.sequence > episode.stops_after)
    after = acknowledged_after(history, episode)
    asked = (stop for name, stop in STOPS.items() if name in policy.stop_on)
    stops = sorted(asked, key=lambda stop: stop.yields)
    for _, together in groupby(newer, key=lambda fact: fact.act.sequence):
        facts = list(together)
        for stop in stops:
            fact = next((each for each in facts if stop.is_it(each, history, after)), None)
            if fact is not None:
                return End(reason="stop_on", stop=stop.name, at=fact.act.at, sequence=fact.act.sequence)
    return None


def acknowledged_after(history: History, episode: Episode) -> int | None:
    """The sequence behind which somebody can acknowledge the episode: that of our write by which its first level fired,
    where something was written and shows, else of the newest fact that its look had read. None before a level fired."""
    if episode.heard is None:
        return None
    ours = (
        fact.act.sequence
        for fact in history.facts
        if fact.act.who is Who.OURS and episode.key in fact.act.episodes and fact.act.sequence > episode.heard
    )
    wrote = min(ours, default=episode.heard) if episode.told else episode.heard
    return max(wrote, episode.stops_after)


def first_acknowledgement(history: History, episode: Episode) -> Fact | None:
    """The fact that acknowledged the episode."""
    after = acknowledged_after(history, episode)
    if after is None:
        return None
    return next((fact for fact in history.facts if history.acknowledges(fact, after)), None)


def is_restarted(standing: Standing, policy: Policy, reading: Reading) -> bool:
    """Whether the clock runs from elsewhere than in the last episode, running or ended."""
    episode = standing.episode
    if episode is None:
        return False
    if episode.clock != policy.clock:
        return True
    if reading.why_absent is not None:
        return False
    if episode.achieved:
        return True
    start = own_start(standing, episode)
    if reading.start is None:
        return None not in (reading.wait, episode.wait) and reading.wait != episode.wait
    return episode.ended is not None if start is None else reading.start != start


def own_start(standing: Standing, episode: Episode) -> Instant | None:
    """The start of the clock itself, an acknowledgement aside."""
    return episode.clock_start if standing.acknowledged is None else standing.acknowledged_clock


def counted_from(standing: Standing, policy: Policy, reading: Reading) -> Instant | None:
    """What levels count from: the clock's start, or a later acknowledgement on the same clock."""
    if reading.why_absent is not None or reading.start is None:
        return None
    if standing.acknowledged is None or policy.on_deadline:
        return reading.start
    return max(reading.start, standing.acknowledged)


def is_another_clock(standing: Standing, reading: Reading) -> bool:
    """Whether an acknowledgement belongs to another run of the clock than this one."""
    return reading.start is not None and reading.start != standing.acknowledged_clock


def forgetful(standing: Standing, restarted: bool) -> Standing:
    """An acknowledgement is remembered until the clock restarts."""
    if not restarted:
        return standing
    return replace(standing, acknowledged=None, acknowledged_clock=None, behind=())


def achieved(standing: Standing, reading: Reading) -> Standing:
    """The memory of a target that was seen achieved: an active one after that is a new one."""
    if not reading.achieved or standing.episode is None:
        return standing
    return replace(standing, episode=replace(standing.episode, achieved=True))


def begun(scene: Scene, base: Look, restart: Reading | None) -> Look:
    """A new episode on the real values. After a restart it is as old as the fact that restarted the clock."""
    base = on_real_values(scene, base)
    seen = began_at(base, restart)
    stops_after = seen if base.standing.episode else started_at(base.reading, base.history)
    return unless_stopped(scene, base, fresh(scene, base, seen, stops_after))


def ordered(scene: Scene, base: Look) -> Look:
    """A new episode that a person has begun: nothing from before stops it."""
    base = on_real_values(scene, base)
    newest = base.history.newest()
    return entered(scene, base, fresh(scene, base, newest, newest))


def on_real_values(scene: Scene, base: Look) -> Look:
    """The look with the clock as it runs for a new episode, which has no writes to hide."""
    since = kept_matching(base.policy, base.standing)
    touched = base.standing.touched
    sight = Sight(ticket=scene.ticket, history=base.history, matching_since=since, touched=touched)
    reading = read(scene, base.policy, sight)
    standing = forgetful(base.standing, is_another_clock(base.standing, reading))
    return replace(base, standing=standing, ticket=scene.ticket, reading=reading, begun=True)


def began_at(base: Look, restart: Reading | None) -> int:
    """The sequence of the newest fact that is older than the new episode."""
    old = base.standing.episode
    if restart is None or old is None or old.clock != base.policy.clock:
        return base.history.newest()
    started = started_at(restart, base.history)
    sequence = restart.wait if restart.start is None and restart.wait is not None else started
    return sequence if sequence > old.seen else base.history.newest()


def started_at(reading: Reading, history: History) -> int:
    """The sequence that a clock's start stands at; the newest fact's where the start is not known."""
    if reading.sequence is not None:
        return reading.sequence
    return history.newest() if reading.start is None else history.sequence_at(reading.start)


def unless_stopped(scene: Scene, base: Look, episode: Episode) -> Look:
    """The episode begins, unless a fact that is known already stops it: then it ends without a word."""
    stop = stopping(base.policy, base.history, episode)
    if stop is None:
        return entered(scene, base, episode)
    stillborn = entered(scene, base, episode)
    return replace(finished(scene, stillborn, stop), said=base.said)


def fresh(scene: Scene, base: Look, seen: int, stops_after: int) -> Episode:
    """A new episode. After an acknowledgement it starts behind what was passed since (rule 4)."""
    policy, standing, number = base.policy, base.standing, base.standing.episodes + 1
    enforced = scene.policies.mode(policy, scene.ticket.ref.account) == "enforce"
    behind = really(standing.behind) if enforced else standing.behind
    matching_since = base.reading.start if policy.clock == "matching" else None
    episode = Episode(
        key=f"{scene.ticket.ref}:{policy.name}:{number}",
        policy=policy.name,
        number=number,
        started=scene.now,
        clock_start=counted_from(standing, policy, base.reading),
        matching_since=matching_since,
        policy_hash=policy.hash,
        clock=policy.clock,
        wait=base.reading.wait,
        seen=seen,
        stops_after=stops_after,
    )
    return starting_behind(episode, behind)


def starting_behind(episode: Episode, passed: tuple[Passed, ...]) -> Episode:
    """The episode behind these levels, with the owner of the latest."""
    begun = replace(episode, passed=passed, before=len(passed))
    latest = latest_passed(begun)
    return replace(begun, owner=latest.owner) if latest else begun


def really(passed: tuple[Passed, ...]) -> tuple[Passed, ...]:
    """What stays passed once a policy is enforced: levels that really fired, or did not by somebody's word, with those
    they overtook (rule 12)."""
    kept: list[Passed] = []
    before: list[Passed] = []
    for each in passed:
        before.append(each)
        if each.how is not How.OVERTAKEN:
            kept += before if each.how not in (How.OBSERVED, How.SKIPPED) else []
            before = []
    return tuple(kept)


def entered(scene: Scene, base: Look, episode: Episode) -> Look:
    """The episode stands in the memory, with its line for the ledger."""
    standing = replace(base.standing, episode=episode, episodes=episode.number, matched=True)
    line = Occurrence(what="started", policy=episode.policy, episode=episode.key, at=scene.now)
    return replace(base, standing=standing, said=(*base.said, line))


def finished(scene: Scene, base: Look, end: End) -> Look:
    """The episode ends. One in which no level was passed leaves no line in the ledger."""
    episode = base.standing.episode
    assert episode is not None
    over = replace(episode, ended=scene.now, reason=end.text)
    said = (*base.said, ended_line(over)) if has_passed(over) else base.said
    behind = over.passed if base.standing.acknowledged is not None else ()
    standing = replace(base.standing, episode=over, behind=behind)
    return replace(base, standing=standing, ended=(*base.ended, over), said=said)


def ended_line(episode: Episode) -> Occurrence:
    """The ledger line of an episode that ended."""
    assert episode.ended is not None
    return Occurrence(
        what="ended",
        policy=episode.policy,
        episode=episode.key,
        at=episode.ended,
        owner=episode.owner.name if episode.owner else None,
        text=episode.reason or "",
    )


def acknowledged(scene: Scene, history: History, episode: Episode) -> tuple[Episode, tuple[Occurrence, ...]]:
    """The episode with its acknowledgement, and the ledger line the first time it is seen."""
    fact = first_acknowledgement(history, episode)
    if fact is None or episode.acknowledged is not None:
        return episode, ()
    who = fact.after if isinstance(fact, Change) and fact.act.who is Who.UNKNOWN else fact.act.person
    person = person_of(who, scene.directory)
    by = person.label if person else None
    line = Occurrence(
        what="acknowledged", policy=episode.policy, episode=episode.key, at=fact.act.at, text=f"by {by}"
    )
    return replace(episode, acknowledged=fact.act.at, acknowledged_by=by), (line,)


def remembering(base: Look, at: Instant, restarted: bool) -> Standing:
    """The acknowledgement, kept until the clock restarts again, and on a deadline the levels already passed: others are
    passed anew, counted from the acknowledgement."""
    episode = base.standing.episode
    assert episode is not None
    behind = episode.passed if base.policy.on_deadline and not restarted else ()
    start = base.reading.start if restarted else own_start(base.standing, episode)
    return replace(base.standing, acknowledged=at, acknowledged_clock=start, behind=behind)


def inherited(scene: Scene, base: Look, sequence: int) -> Look:
    """The episode after an acknowledgement takes over what the stopped one wrote, and counts from there."""
    return succeeded(scene, base, fresh(scene, base, sequence, sequence))


def enforced(scene: Scene, base: Look) -> Look:
    """The ladder begins afresh once a policy is enforced: what was only observed is not real (rule 12). What really
    fired stays passed, and what it wrote stays its own."""
    old = base.standing.episode
    assert old is not None
    newest, passed = base.history.newest(), really(old.passed)
    heir = starting_behind(fresh(scene, base, newest, newest), passed)
    if passed and old.last_sent is not None:
        heir = replace(heir, repeated=old.repeated, last_sent=old.last_sent)
    return replace(succeeded(scene, base, heir), enforced=True)


def succeeded(scene: Scene, base: Look, heir: Episode) -> Look:
    """The heir of an episode that has just ended, with what that one wrote."""
    old = base.standing.episode
    assert old is not None
    heir = replace(
        heir, wrote=old.wrote, asked=old.asked, inherits=keys_of(old), matching_since=old.matching_since
    )
    found = unless_stopped(scene, replace(base, begun=True), heir)
    return replace(found, standing=achieved(found.standing, base.reading))


def look(scene: Scene, policy: Policy, standing: Standing) -> Look:
    """Look at the ticket with what is remembered of it. A level that was merely planned is decided afresh."""
    history = scene.history(policy)
    touched = max((at for at in (standing.touched, scene.ticket.touched) if at is not None), default=None)
    standing = replace(standing, touched=touched)
    running = live(standing)
    if running is None:
        found = idle(scene, policy, standing, history)
    else:
        running = replanned(running)
        found = going_on(scene, policy, replace(standing, episode=running), running, history)
    seen = replace(found.standing, looked=True, seen=max(history.newest(), standing.seen))
    return replace(found, standing=seen)


def idle(scene: Scene, policy: Policy, standing: Standing, history: History) -> Look:
    """No episode runs: one begins if `when` has become true, or holds on a clock that restarted. A `when` that
    cannot be read has become neither true nor false."""
    _, reading = seen_by(scene, policy, standing, history, standing.episode)
    verdict = judged(policy, scene.ticket)
    restarted = is_restarted(standing, policy, reading)
    over = became_over(policy, scene.ticket, history, standing.seen) if standing.looked else None
    matched = standing.matched and over is None
    remembered = achieved(forgetful(standing, restarted), reading)
    base = Look(
        policy=policy,
        standing=replace(remembered, matched=matched if verdict.unknown else verdict.holds),
        ticket=scene.ticket,
        history=history,
        verdict=verdict,
        reading=reading,
        first=not standing.looked,
    )
    if not verdict.holds or (matched and not restarted):
        return base
    since = reading if matched and restarted else None
    return begun(scene, replace(base, standing=replace(base.standing, matched=matched)), since)


def going_on(scene: Scene, policy: Policy, standing: Standing, episode: Episode, history: History) -> Look:
    """An episode runs: it goes on, or it ends and another may follow at once."""
    sight, reading = seen_by(scene, policy, standing, history, episode)
    verdict = judged(policy, sight.ticket)
    restarted = is_restarted(standing, policy, reading)
    end = ending(
        policy,
        scene.ticket,
        history,
        episode,
        verdict,
        restarted=restarted,
        enforced=is_unreal(scene, policy, episode),
    )
    episode, said = acknowledged(scene, history, episode)
    base = Look(
        policy=policy,
        standing=replace(standing, episode=episode, matched=True),
        ticket=sight.ticket,
        history=history,
        verdict=verdict,
        reading=reading,
        first=False,
        said=said,
    )
    if end is not None:
        return followed(scene, finished(scene, base, end), end, restarted=restarted)
    kept = replace(episode, policy_hash=policy.hash, clock=policy.clock)
    if kept.clock_start is None:
        kept = replace(kept, clock_start=counted_from(standing, policy, reading))
    if kept.wait is None:
        kept = replace(kept, wait=reading.wait)
    return replace(base, standing=achieved(replace(base.standing, episode=kept), reading))


def is_unreal(scene: Scene, policy: Policy, episode: Episode) -> bool:
    """Whether the policy is enforced by now and a level of the episode was only observed (rule 12)."""
    observed = any(each.how is How.OBSERVED for each in episode.passed)
    return observed and scene.policies.mode(policy, scene.ticket.ref.account) == "enforce"


def followed(scene: Scene, base: Look, end: End, *, restarted: bool) -> Look:
    """What comes after an end: an acknowledged ticket climbs again, an enforced one afresh, and one that was solved and
    reopened or whose clock restarted begins anew if `when` holds on its real values."""
    if end.reason == "enforced":
        return enforced(scene, base)
    standing = forgetful(base.standing, restarted)
    if end.stop == "acknowledged":
        newer = started_at(base.reading, base.history) > end.sequence
        if not (restarted and newer):
            standing = remembering(base, end.at, restarted)
            if base.verdict.holds:
                return inherited(scene, replace(base, standing=standing), end.sequence)
    real = judged(base.policy, scene.ticket)
    standing = achieved(standing, base.reading)
    waits = restarted or end.stop == "acknowledged"
    matched = (real.holds or (real.unknown and not waits)) and not end.undone
    base = replace(base, standing=replace(standing, matched=matched), verdict=real, ticket=scene.ticket)
    if end.undone and real.holds:
        return begun(scene, base, None)
    if real.holds and matched and restarted:
        return begun(scene, base, base.reading)
    return base


def closed_off(scene: Scene, standing: Standing, reason: str) -> tuple[Standing, Episode | None]:
    """The end of the ticket, or of the policy on it. What comes back later is seen for the first time, with a
    new number; who owned it last stays known."""
    episode = live(standing)
    ended = replace(episode, ended=scene.now, reason=reason, under_way=None) if episode else None
    blank = Standing(
        policy=standing.policy,
        episodes=standing.episodes,
        ownership=standing.ownership,
        snoozed_until=standing.snoozed_until,
    )
    return blank, ended
