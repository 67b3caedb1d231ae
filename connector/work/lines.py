"""Ledger lines for what happened to an episode, and for how a write ended."""

from collections.abc import Iterable

from adapters.base import Receipt
from connector.store.ledger import Line
from connector.store.writes import KeptWrite, State
from policies.ladder import untimed
from policies.memory import Episode, Standing
from policies.model import Instant, TicketRef
from policies.plan import Occurrence


def line_of(ref: TicketRef, occurrence: Occurrence, remembered: Iterable[Standing]) -> Line:
    """The ledger's line for an occurrence; the policy text's hash is that of the episode."""
    running = {one.episode.key: one.episode for one in remembered if one.episode is not None}
    episode = running.get(occurrence.episode)
    return Line(
        at=occurrence.at,
        account=ref.account,
        ticket=ref.id,
        what=occurrence.what,
        policy=occurrence.policy,
        episode=occurrence.episode,
        level=occurrence.level,
        owner=occurrence.owner,
        who=occurrence.who,
        text=occurrence.text,
        policy_hash=episode.policy_hash if episode else "",
        data=lateness(occurrence, episode),
    )


def lateness(occurrence: Occurrence, episode: Episode | None) -> dict[str, int]:
    """When a level was due, and how many seconds after that it was decided. Nothing where something else than Uptier
    decided when it fired: a person, or a condition that came to hold after the level's time."""
    if occurrence.what not in ("fired", "observed") or episode is None:
        return {}
    passed = next((each for each in reversed(episode.passed) if each.level == occurrence.level), None)
    if passed is None or passed.due is None or untimed(episode, passed):
        return {}
    return {"due": passed.due, "late": max(passed.at - passed.due, 0)}


WORDS: dict[State, str] = {
    State.DONE: "written",
    State.REFUSED: "write refused",
    State.STALE: "write dropped",
    State.UNKNOWN: "write unknown",
}


def line_about(kept: KeptWrite, state: State, text: str, receipt: Receipt | None, now: Instant) -> Line:
    """The ledger's line for a write that ended so."""
    ref = kept.write.ref
    remarks = receipt.remarks if receipt else ()
    return Line(
        at=now,
        account=ref.account,
        ticket=ref.id,
        policy=kept.policy,
        episode=min(kept.episodes, default=""),
        level=kept.level,
        what=WORDS[state],
        text=text or "; ".join(action.kind for action in kept.write.intent),
        data={"key": kept.write.key, "attempt": kept.attempt, "remarks": list(remarks)},
    )
