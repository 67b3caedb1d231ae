"""How an episode begins, goes on and ends: reasons, stop rules, acknowledgements, restarted clocks (rules 4,
5, 10, 13)."""

from dataclasses import dataclass, replace

from policies.history import OVER, Fact, History, enters
from policies.language.clocks import Reading
from policies.language.policy import Policy
from policies.language.vocabulary import STOPS
from policies.model import Change, Instant, Status, Ticket, Who
from policies.plan import Occurrence
from policies.rules.observe import UNREAD, Observation, Scene, read_clock, verdict_of
from policies.rules.own_writes import keys_of, person_of
from policies.state import FIRED, Episode, How, Owed, Passed, Standing, UnderWay, changed, latest_passed


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


def advance(scene: Scene, seen: Observation) -> Observation:
    """What becomes of the policy's episode by what it sees: it begins, goes on or ends. What was merely planned for it
    is decided afresh."""
    policy, before, verdict = seen.policy, seen.before, seen.verdict
    restarted = seen.reading is not UNREAD and is_restarted(before, policy, seen.reading)
    if before.running is not None:
        found = going_on(scene, seen, before.running, restarted=restarted)
    elif seen.reading is UNREAD:
        found = replace(
            seen, state=changed(before, matched=False, undone=before.undone and before.undo is not None)
        )
    else:
        # One begins if `when` has become true, or holds on a clock that restarted. What cannot be read became neither.
        # After an undo none begins before `when` was false.
        over = became_over(policy, scene.ticket, seen.history, before.seen) if before.looked else None
        matched = before.matched and over is None
        state = achieved(forgetful(before, restarted), seen.reading)
        waits = before.undo is not None or (over is None and (verdict.holds or verdict.unknown))
        state = changed(state, undone=before.undone and waits)
        if state.undone:
            found = replace(seen, state=changed(state, matched=verdict.holds or verdict.unknown))
        elif not verdict.holds or (matched and not restarted):
            matches = matched if verdict.unknown else verdict.holds
            found = replace(seen, state=changed(state, matched=matches))
        else:
            base = replace(seen, state=changed(state, matched=matched))
            found = begun(scene, base, seen.reading if matched and restarted else None)
    newest = max(seen.history.newest, before.seen)
    state = changed(found.state, looked=True, seen=newest)
    return found if state is found.state else replace(found, state=state)


def going_on(scene: Scene, seen: Observation, episode: Episode, *, restarted: bool) -> Observation:
    """An episode runs: it goes on, or it ends and another may follow at once."""
    policy, history, reading = seen.policy, seen.history, seen.reading

    # 1. The first reason that applies ends it. What cannot be read is no reason (rule 8).
    end = became_over(policy, scene.ticket, history, episode.seen) or stopping(policy, history, episode)
    if end is None:
        observed = any(each.how is How.OBSERVED for each in episode.passed)
        unreal = observed and not seen.verdict.unknown and scene.enforces(policy)
        reasons = {
            "when": seen.verdict.when is False,
            "unless": seen.verdict.excluded is True,
            "clock": restarted,
            "enforced": unreal,
        }
        end = next((End(reason=reason) for reason, holds in reasons.items() if holds), None)

    # 2. Who acknowledged it, whatever becomes of it.
    episode = replanned(episode)
    said: tuple[Occurrence, ...] = ()
    fact = None if episode.acknowledged is not None else first_acknowledgement(history, episode)
    if fact is not None:
        who = fact.after if isinstance(fact, Change) and fact.act.who is Who.UNKNOWN else fact.act.person
        person = person_of(who, scene.directory)
        by = person.label if person else None
        episode = replace(episode, acknowledged=fact.act.at, acknowledged_by=by)
        line = Occurrence(
            what="acknowledged", policy=policy.name, episode=episode.key, at=fact.act.at, text=f"by {by}"
        )
        said = (line,)

    # 3. It ends, or goes on as the policy now is.
    if end is not None:
        state = changed(seen.state, episode=episode, matched=True)
        base = finished(scene, replace(seen, state=state, said=said), end)
        return followed(scene, base, end, restarted=restarted)
    start = counted_from(seen.state, policy, reading) if episode.clock_start is None else episode.clock_start
    episode = changed(
        episode,
        policy_hash=policy.hash,
        clock=policy.clock,
        clock_start=start,
        wait=reading.wait if episode.wait is None else episode.wait,
    )
    state = achieved(changed(seen.state, episode=episode, matched=True), reading)
    return replace(seen, state=state, said=said) if said or state is not seen.state else seen


def replanned(episode: Episode) -> Episode:
    """The episode without what was merely planned and has no outcome: it is decided afresh."""
    owes = replace(episode.owes, sent=False) if episode.owes and episode.owes.sent else episode.owes
    return changed(episode, under_way=None, asking=None, lapsing=None, said_before=None, owes=owes)


# --- how it ends -----------------------------------------------------------------------------------------------


def became_over(policy: Policy, ticket: Ticket, history: History, seen: int) -> End | None:
    """Closed or solved, now or at any time since the fact `seen`, even if undone since."""
    statuses = (Status.CLOSED,) if policy.when.asks_solved else (Status.CLOSED, Status.SOLVED)
    newer = [each for each in history.changes("status") if each.act.sequence > seen]
    for status in statuses:
        if ticket.status == status or any(enters(each, status) for each in newer):
            return End(reason=status.value, undone=ticket.status not in OVER)
    return None


def stopping(policy: Policy, history: History, episode: Episode) -> End | None:
    """The first fact of `stop_on` that is new enough to stop this episode. One that is several counts as the first of
    them in the order of the vocabulary, and as one that yields only where it is no other."""
    if not policy.stop_on or history.newest <= episode.stops_after:
        return None
    newer = [fact for fact in history.facts if fact.act.sequence > episode.stops_after]
    after = acknowledged_after(history, episode)
    found: list[tuple[int, bool, int, End]] = []
    for rank, stop in enumerate(STOPS.values()):
        if stop.name not in policy.stop_on:
            continue
        fact = next((each for each in newer if stop.is_it(each, history, after)), None)
        if fact is not None:
            end = End(reason="stop_on", stop=stop.name, at=fact.act.at, sequence=fact.act.sequence)
            found.append((fact.act.sequence, stop.yields, rank, end))
    return min(found, key=lambda each: each[:3])[3] if found else None


def acknowledged_after(history: History, episode: Episode) -> int | None:
    """The sequence behind which somebody can acknowledge the episode: that of our write by which its first level fired,
    where something was written and shows, else of the newest fact that its look had read. None before a level fired,
    and where nothing happened since."""
    if episode.heard is None or history.newest <= episode.heard:
        return None
    after = episode.heard
    if episode.told:
        ours = (
            fact.act.sequence
            for fact in history.facts
            if fact.act.who is Who.OURS and episode.key in fact.act.episodes and fact.act.sequence > after
        )
        after = min(ours, default=after)
    return max(after, episode.stops_after)


def first_acknowledgement(history: History, episode: Episode) -> Fact | None:
    """The fact that acknowledged the episode."""
    after = acknowledged_after(history, episode)
    if after is None:
        return None
    return next((fact for fact in history.facts if history.acknowledges(fact, after)), None)


def finished(scene: Scene, base: Observation, end: End) -> Observation:
    """The episode ends. One in which no level was passed leaves no line in the ledger."""
    episode = running(base)
    over = replace(episode, ended=scene.now, reason=end.text)
    said = (*base.said, ended_line(over)) if has_passed(over) else base.said
    behind = over.passed if base.state.acknowledged is not None else ()
    state = replace(base.state, episode=over, behind=behind)
    return replace(base, state=state, ended=(*base.ended, over), said=said)


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


def closed_off(scene: Scene, state: Standing, reason: str) -> tuple[Standing, Episode | None]:
    """The end of the ticket, or of the policy on it. What comes back later is seen for the first time, with a
    new number; who owned it last stays known."""
    episode = state.running
    ended = replace(episode, ended=scene.now, reason=reason, under_way=None) if episode else None
    blank = Standing(
        policy=state.policy,
        episodes=state.episodes,
        ownership=state.ownership,
        snoozed_until=state.snoozed_until,
        undo=state.undo,
        undone=state.undone and reason != "gone",
    )
    return blank, ended


# --- what its clock counts from --------------------------------------------------------------------------------


def is_restarted(state: Standing, policy: Policy, reading: Reading) -> bool:
    """Whether the clock runs from elsewhere than in the last episode, running or ended."""
    episode = state.episode
    if episode is None:
        return False
    if episode.clock != policy.clock:
        return True
    if reading.why_absent is not None:
        return False
    if episode.achieved:
        return True
    start = own_start(state, episode)
    if reading.start is None:
        return None not in (reading.wait, episode.wait) and reading.wait != episode.wait
    return episode.ended is not None if start is None else reading.start != start


def own_start(state: Standing, episode: Episode) -> Instant | None:
    """The start of the clock itself, an acknowledgement aside."""
    return episode.clock_start if state.acknowledged is None else state.acknowledged_clock


def counted_from(state: Standing, policy: Policy, reading: Reading) -> Instant | None:
    """What levels count from: the clock's start, or a later acknowledgement on the same clock."""
    if reading.why_absent is not None or reading.start is None:
        return None
    if state.acknowledged is None or policy.on_deadline:
        return reading.start
    return max(reading.start, state.acknowledged)


def forgetful(state: Standing, restarted: bool) -> Standing:
    """An acknowledgement is remembered until the clock restarts."""
    return changed(state, acknowledged=None, acknowledged_clock=None, behind=()) if restarted else state


def achieved(state: Standing, reading: Reading) -> Standing:
    """The memory of a target that was seen achieved: an active one after that is a new one."""
    if not reading.achieved or state.episode is None:
        return state
    return changed(state, episode=changed(state.episode, achieved=True))


# --- how the next one begins -----------------------------------------------------------------------------------


def followed(scene: Scene, base: Observation, end: End, *, restarted: bool) -> Observation:
    """What comes after an end: an acknowledged ticket climbs again, an enforced one afresh, and one that was solved and
    reopened or whose clock restarted begins anew if `when` holds on its real values."""
    old, policy = base.state.episode, base.policy
    assert old is not None
    if end.reason == "enforced":
        return enforced(scene, base, old)
    state = forgetful(base.state, restarted)
    if end.stop == "acknowledged":
        newer = started_at(base.reading, base.history) > end.sequence
        if not (restarted and newer):
            # Kept until the clock restarts again; on a deadline, with the levels passed: others are passed anew.
            behind = old.passed if policy.on_deadline and not restarted else ()
            start = base.reading.start if restarted else own_start(state, old)
            state = replace(state, acknowledged=end.at, acknowledged_clock=start, behind=behind)
            if base.verdict.holds:
                base = replace(base, state=state)
                return succeeded(scene, base, old, fresh(scene, base, end.sequence, end.sequence))
    real = verdict_of(policy, scene.ticket)
    waits = restarted or end.stop == "acknowledged"
    matched = (real.holds or (real.unknown and not waits)) and not end.undone
    state = changed(achieved(state, base.reading), matched=matched)
    base = replace(base, state=state, verdict=real, ticket=scene.ticket)
    if real.holds and (end.undone or (matched and restarted)):
        return begun(scene, base, None if end.undone else base.reading)
    return base


def enforced(scene: Scene, base: Observation, old: Episode) -> Observation:
    """The ladder begins afresh once a policy is enforced: what was only observed is not real (rule 12). What really
    fired stays passed, and what it wrote stays its own."""
    newest, passed = base.history.newest, really(old.passed)
    heir = starting_behind(fresh(scene, base, newest, newest), passed)
    if passed and old.last_sent is not None:
        heir = replace(heir, repeated=old.repeated, last_sent=old.last_sent)
    return replace(succeeded(scene, base, old, heir), enforced=True)


def succeeded(scene: Scene, base: Observation, old: Episode, heir: Episode) -> Observation:
    """The heir of an episode that has just ended, with what that one wrote."""
    heir = replace(
        heir, wrote=old.wrote, asked=old.asked, inherits=keys_of(old), matching_since=old.matching_since
    )
    found = entered(scene, base, heir)
    return replace(found, state=achieved(found.state, base.reading))


def begun(scene: Scene, base: Observation, restart: Reading | None, *, ordered: bool = False) -> Observation:
    """A new episode on the real values, with the clock as it runs where no writes are to be hidden; another start
    forgets the acknowledgement of the run before. After a restart it is as old as the fact that restarted the clock.
    Nothing from before stops one that a person has ordered."""
    policy, history, reading, old = base.policy, base.history, base.reading, base.state.episode
    if policy.clock == "matching" or (old is not None and old.wrote):
        reading = read_clock(scene, policy, scene.ticket, history, base.state, None)
    another = reading.start is not None and reading.start != base.state.acknowledged_clock
    base = replace(base, state=forgetful(base.state, another), ticket=scene.ticket, reading=reading)
    seen = history.newest
    if restart is not None and old is not None and old.clock == policy.clock:
        started = started_at(restart, history)
        sequence = restart.wait if restart.start is None and restart.wait is not None else started
        seen = sequence if sequence > old.seen else seen
    stops_after = seen if old or ordered else started_at(reading, history)
    return entered(scene, base, fresh(scene, base, seen, stops_after))


def started_at(reading: Reading, history: History) -> int:
    """The sequence that a clock's start stands at; the newest fact's where the start is not known."""
    if reading.sequence is not None:
        return reading.sequence
    return history.newest if reading.start is None else history.sequence_at(reading.start)


def entered(scene: Scene, base: Observation, episode: Episode) -> Observation:
    """The episode stands in the memory, with its line for the ledger. One that a fact stops which is known already ends
    without a word."""
    stop = stopping(base.policy, base.history, episode)
    state = replace(base.state, episode=episode, episodes=episode.number, matched=True, undone=False)
    line = Occurrence(what="started", policy=episode.policy, episode=episode.key, at=scene.now)
    found = replace(base, state=state, begun=True, said=(*base.said, line))
    return found if stop is None else replace(finished(scene, found, stop), said=base.said)


def fresh(scene: Scene, base: Observation, seen: int, stops_after: int) -> Episode:
    """A new episode. After an acknowledgement it starts behind what was passed since (rule 4)."""
    policy, state, number = base.policy, base.state, base.state.episodes + 1
    behind = really(state.behind) if state.behind and scene.enforces(policy) else state.behind
    episode = Episode(
        key=f"{scene.ticket.ref}:{policy.name}:{number}",
        policy=policy.name,
        number=number,
        started=scene.now,
        clock_start=counted_from(state, policy, base.reading),
        matching_since=base.reading.start if policy.clock == "matching" else None,
        policy_hash=policy.hash,
        clock=policy.clock,
        wait=base.reading.wait,
        seen=seen,
        stops_after=stops_after,
    )
    return starting_behind(episode, behind) if behind else episode


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


# --- what it has passed ----------------------------------------------------------------------------------------


def running(seen: Observation) -> Episode:
    """The running episode, where there must be one. Raises ValueError if there is none."""
    episode = seen.state.running
    if episode is None:
        raise ValueError(f'no episode of policy "{seen.policy.name}" runs')
    return episode


def has_passed(episode: Episode) -> bool:
    """Whether a level was passed in this episode, those aside that it began behind."""
    return len(episode.passed) > episode.before


def has_fired(episode: Episode) -> bool:
    """Whether a level of this episode fired or was observed, so that it can be acknowledged."""
    return any(each.how in FIRED for each in episode.passed[episode.before :])


def climbed(episode: Episode, levels: tuple[Passed, ...], way: UnderWay | None = None) -> Episode:
    """The episode once these levels are passed, the last of them by its own doing: none of them waits for approval any
    more. `way` is how that one was under way if it fired: what it leaves is to be made up for, and only what it does in
    open hours is said again."""
    waits = all(each.level != episode.awaiting for each in (*episode.passed, *levels))
    return replace(
        episode,
        passed=(*episode.passed, *levels),
        under_way=None,
        owner=levels[-1].owner,
        repeated=0,
        last_sent=way.at if way is not None and not way.instead else None,
        owes=Owed(level=way.level, parts=way.owes, instead=way.instead)
        if way is not None and way.owes
        else None,
        awaiting=episode.awaiting if waits else None,
    )


def arrived(episode: Episode, how: How = How.FIRED) -> Episode:
    """The episode as it will be once the level under way has fired, or was refused; itself if none is."""
    way = episode.under_way
    if way is None:
        return episode
    before = tuple(Passed(level=name, how=How.OVERTAKEN, at=way.at) for name in way.overtaken)
    level = Passed(level=way.level, how=how, at=way.at, due=way.due, owner=way.owner, why=way.why)
    return climbed(episode, (*before, level), way if how is How.FIRED else None)


def heard(episode: Episode, seen: int, *, told: bool) -> Episode:
    """The episode once a level has fired: of the first one it is kept where in the history that was (rule 10)."""
    return episode if episode.heard is not None else replace(episode, heard=seen, told=told)
