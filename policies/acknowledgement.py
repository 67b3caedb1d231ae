"""An escalation that was acknowledged: what is remembered of it, and the episode after it (rules 4 and 10)."""

from dataclasses import replace

from policies.bounds import fresh, really, starting_behind, unless_stopped
from policies.episodes import achieved, first_acknowledgement, own_start
from policies.facts import History
from policies.memory import Episode, Standing
from policies.model import Change, Instant, Who
from policies.plan import Occurrence
from policies.policy import DEADLINES
from policies.scene import Look, Scene
from policies.view import keys_of, person_of


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
    behind = episode.passed if base.policy.clock in DEADLINES and not restarted else ()
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
