"""What a person ordered for a ticket: acknowledge, snooze, escalate, de-escalate, approve or reject a level.

An order is carried out in the next look and remembered by the episode, so that it outlives a write that has to be
decided afresh.
"""

from dataclasses import dataclass, replace
from typing import Literal

from policies.episodes import End
from policies.facts import History
from policies.memory import Episode, How, Passed
from policies.model import Instant
from policies.plan import Occurrence
from policies.policy import Policy

Verb = Literal["acknowledge", "snooze", "escalate", "deescalate", "approve", "reject"]

UNDO_TRIES = 3
"""How often restoring what was written is tried before the episode ends all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `who` ordered at `at`. `policy` None means every policy that escalates the ticket; `until` is for a
    snooze, `level` for an escalation past the next level."""

    verb: Verb
    who: str
    at: Instant
    reason: str = ""
    policy: str | None = None
    level: str | None = None
    until: Instant | None = None

    @property
    def because(self) -> str:
        """Who ordered it and why, for the ledger and for explain."""
        return f"by {self.who}: {self.reason}" if self.reason else f"by {self.who}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obeyed:
    """The episode after its orders, how it ends by them if it does, and their lines for the ledger."""

    episode: Episode
    end: End | None = None
    said: tuple[Occurrence, ...] = ()


def obey(orders: tuple[Order, ...], policy: Policy, history: History, episode: Episode) -> Obeyed:
    """Carry out the orders of one policy in turn. An order that has nothing to act on is said and left."""
    done = Obeyed(episode=episode)
    for order in orders:
        if done.end is not None:
            break
        done = OBEYING[order.verb](order, policy, history, done)
    return done


def acknowledge(order: Order, policy: Policy, history: History, done: Obeyed) -> Obeyed:
    """As a person who takes, answers or notes the ticket does (rule 10)."""
    episode = done.episode
    if not any(each.how in (How.FIRED, How.OBSERVED) for each in episode.passed):
        return left(order, done, "no level has fired yet")
    known = replace(episode, acknowledged=order.at, acknowledged_by=order.who)
    end = None
    if "acknowledged" in policy.stop_on:
        end = End(reason="stop_on", stop="acknowledged", at=order.at, sequence=history.newest())
    return said("acknowledged", order, replace(done, episode=known, end=end), order.because)


def snooze(order: Order, policy: Policy, history: History, done: Obeyed) -> Obeyed:
    """Nothing fires and nothing is said again until then."""
    del policy, history
    until = order.until or order.at
    return said(
        "snoozed", order, replace(done, episode=replace(done.episode, snoozed_until=until)), order.because
    )


def escalate(order: Order, policy: Policy, history: History, done: Obeyed) -> Obeyed:
    """The next level fires now, or the one that is named."""
    del history
    names = [each.name for each in policy.levels]
    passed = {each.level for each in done.episode.passed}
    last = max((place for place, name in enumerate(names) if name in passed), default=-1)
    ahead = names[last + 1 :]
    if order.level is not None:
        ahead = ahead[ahead.index(order.level) :] if order.level in ahead else []
    if not ahead:
        return left(order, done, "no such level is ahead")
    pushed = replace(done.episode, pushed=ahead[0], pushed_because=order.because, snoozed_until=None)
    return said("escalated", order, replace(done, episode=pushed), order.because, ahead[0])


def deescalate(order: Order, policy: Policy, history: History, done: Obeyed) -> Obeyed:
    """What the episode wrote is restored, unless somebody has changed it since; then the episode ends."""
    del policy, history
    undone = replace(done.episode, undoing=1, undone_because=order.because)
    return said("deescalated", order, replace(done, episode=undone), order.because)


def approve(order: Order, policy: Policy, history: History, done: Obeyed) -> Obeyed:
    """The level that waits for approval may fire."""
    del policy, history
    level = done.episode.awaiting
    if level is None:
        return left(order, done, "no level waits for approval")
    approved = replace(done.episode, approved=done.episode.approved | {level}, awaiting=None)
    return said("approved", order, replace(done, episode=approved), order.because, level)


def reject(order: Order, policy: Policy, history: History, done: Obeyed) -> Obeyed:
    """The level that waits for approval is passed without firing."""
    del policy, history
    level = done.episode.awaiting
    if level is None:
        return left(order, done, "no level waits for approval")
    refused = Passed(level=level, how=How.REFUSED, at=order.at, owner=done.episode.owner)
    after = replace(done.episode, passed=(*done.episode.passed, refused), awaiting=None)
    return said("rejected", order, replace(done, episode=after), order.because, level)


OBEYING = {
    "acknowledge": acknowledge,
    "snooze": snooze,
    "escalate": escalate,
    "deescalate": deescalate,
    "approve": approve,
    "reject": reject,
}


def left(order: Order, done: Obeyed, why: str) -> Obeyed:
    """The order is not carried out, and the ledger says why."""
    return said("order refused", order, done, f"{order.verb} {order.because}; {why}")


def said(what: str, order: Order, done: Obeyed, text: str, level: str | None = None) -> Obeyed:
    """One more line for the ledger."""
    line = Occurrence(
        what=what,
        policy=done.episode.policy,
        episode=done.episode.key,
        level=level,
        at=order.at,
        text=text,
        who=order.who,
    )
    return replace(done, said=(*done.said, line))
