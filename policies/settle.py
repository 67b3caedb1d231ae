"""What the outcome of a write does to a standing: a level under way is passed, or is due again (rule 3)."""

from dataclasses import dataclass, replace
from typing import Literal

from policies.episodes import answered, owed, replanned, with_fired
from policies.memory import Episode, How, Ownership, Passed, Standing, UnderWay, Wrote
from policies.model import Instant
from policies.ownership import ticket_owner
from policies.plan import Occurrence

Result = Literal["done", "refused", "unknown", "stale"]
Settled = tuple[tuple[Standing, ...], tuple[Occurrence, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one write ended. `key` is the write's, `episodes` are those that asked for it, `at` is when we
    knew. `wrote` is what the receipt says was changed; it may come with any result but `stale`. Only the first write of
    a level `decides` it; what is left of an older chain decides nothing about a level that is under way meanwhile."""

    key: str
    episodes: tuple[str, ...]
    result: Result
    at: Instant
    wrote: tuple[Wrote, ...] = ()
    decides: bool = True


def settle(standings: tuple[Standing, ...], outcome: Outcome) -> Settled:
    """The standings after this outcome, and what it adds to the ledger.

    The first outcome of a level decides it; a later one of the same level only adds what it wrote. A level
    that left nothing to send is settled as `done`.
    """
    pairs = [settle_one(standing, outcome) for standing in standings]
    after = tuple(standing for standing, _ in pairs)
    said = tuple(occurrence for _, occurrences in pairs for occurrence in occurrences)
    return after, said + owner_moved(standings, after, outcome.at)


def settle_one(standing: Standing, outcome: Outcome) -> tuple[Standing, tuple[Occurrence, ...]]:
    """One policy's part of it; nothing if its episode did not ask for the write."""
    episode = standing.episode
    if episode is None or episode.key not in outcome.episodes:
        return standing, ()
    if not outcome.decides:
        more = () if outcome.result == "stale" else own_part(episode, outcome.wrote)
        return replace(standing, episode=replace(episode, wrote=episode.wrote + more)), ()
    if outcome.result == "stale":
        return replace(standing, episode=unsaid(episode)), ()
    owes = None if episode.owes is not None and episode.owes.sent else episode.owes
    parts = own_part(episode, outcome.wrote)
    written = replace(episode, wrote=episode.wrote + parts, owes=owes, asking=None, said_before=None)
    if episode.under_way is None:
        return replace(standing, episode=written), ()
    told = outcome.result != "refused" and bool(outcome.key)
    return passed(standing, written, episode.under_way, outcome.result, told=told)


def unsaid(episode: Episode) -> Episode:
    """The episode before what was to be written and was not: the level, the question or the repeat is due again."""
    if episode.asking is not None:
        asked_for = episode.asked_for - {episode.asking}
        awaiting = None if episode.awaiting == episode.asking else episode.awaiting
        episode = replace(episode, asked_for=asked_for, awaiting=awaiting)
    if episode.said_before is not None:
        episode = replace(episode, repeated=episode.repeated - 1, last_sent=episode.said_before)
    return replanned(episode)


def own_part(episode: Episode, wrote: tuple[Wrote, ...]) -> tuple[Wrote, ...]:
    """What of a write this episode asked for; another policy's part of it is a change like any other."""
    parts = (asked_part(each, episode.asked) for each in wrote)
    return tuple(part for part in parts if part is not None)


def asked_part(wrote: Wrote, asked: frozenset[str]) -> Wrote | None:
    """One written field as far as it was asked for. Of tags, each tag counts on its own."""
    if wrote.field != "tags":
        return wrote if wrote.field in asked else None
    before, after = tag_set(wrote.before), tag_set(wrote.after)
    ours = {tag for tag in before ^ after if f"tags:{tag}" in asked}
    if not ours:
        return None
    return replace(wrote, before=tuple(sorted(before)), after=tuple(sorted((before - ours) | (after & ours))))


def tag_set(value: object) -> frozenset[str]:
    """A stored list of tags as a set."""
    return frozenset(value) if isinstance(value, tuple) else frozenset()


def passed(
    standing: Standing, episode: Episode, under_way: UnderWay, result: Result, *, told: bool
) -> tuple[Standing, tuple[Occurrence, ...]]:
    """The level under way has fired, or was refused, at the instant of its plan. `told` says that something was written
    to the helpdesk."""
    how = How.REFUSED if result == "refused" else How.FIRED
    overtaken = tuple(Passed(level=name, how=How.OVERTAKEN, at=under_way.at) for name in under_way.overtaken)
    level = Passed(
        level=under_way.level,
        how=how,
        at=under_way.at,
        due=under_way.due,
        owner=under_way.owner,
        why=under_way.why,
    )
    after = replace(
        episode,
        passed=(*episode.passed, *overtaken, level),
        under_way=None,
        owner=under_way.owner,
        repeated=0,
        last_sent=under_way.at if how is How.FIRED and not under_way.instead else None,
        owes=owed(under_way) if how is How.FIRED else None,
    )
    after = answered(with_fired(after, under_way.seen, told=told) if how is How.FIRED else after)
    ownership = Ownership(owner=under_way.owner, at=under_way.at, enforced=True)
    lines = tuple(passing(after, each) for each in (*overtaken, level))
    return replace(standing, episode=after, ownership=ownership), lines


def passing(episode: Episode, level: Passed) -> Occurrence:
    """The ledger line of a passed level."""
    return Occurrence(
        what=level.how.value,
        policy=episode.policy,
        episode=episode.key,
        level=level.level,
        at=level.at,
        owner=level.owner.name if level.owner else None,
        text=level.why,
    )


def owner_moved(
    before: tuple[Standing, ...], after: tuple[Standing, ...], at: Instant
) -> tuple[Occurrence, ...]:
    """The ledger line for a ticket that changed its owner, if it did."""
    old, new = ticket_owner(before), ticket_owner(after)
    if new is None or old == new:
        return ()
    holder = next(each for each in after if each.ownership and each.ownership.owner == new)
    key = holder.episode.key if holder.episode else ""
    text = f"from {old.name}" if old else ""
    return (Occurrence(what="owner", policy=holder.policy, episode=key, at=at, owner=new.name, text=text),)
