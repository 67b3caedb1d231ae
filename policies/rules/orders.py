"""Orders of people: what can be ordered now, and what an order does to the episode it is for (rule 15).

An order is carried out in the next look (`obey`). What can be ordered now is one rule, here, for that look as
well as for console, API and command line.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from policies.language.policy import Policy
from policies.model import Instant, Order
from policies.plan import LeftOut, Occurrence
from policies.rules.episode import End, arrived, begun, finished, followed, has_fired, running
from policies.rules.observe import Observation, Scene, of
from policies.rules.own_writes import UNDO_TRIES, undone
from policies.state import Episode, How, Passed, Standing

NOT_RUNNING = "no such escalation runs"


def refusal(order: Order, standings: Iterable[Standing], policies: Iterable[Policy]) -> str | None:
    """Why nothing on the ticket can carry out this order as things stand; None if something can. A snooze always
    can."""
    if order.verb == "snooze":
        return None
    known: Mapping[str, Standing] = {each.policy: each for each in standings}
    meant = [each for each in policies if order.policy in (None, each.name)]
    if order.policy is not None and not meant:
        return f'no policy "{order.policy}" serves this account'
    whys = [obstacle(order, each, known.get(each.name, Standing(policy=each.name))) for each in meant]
    if any(why is None for why in whys):
        return None
    told = dict.fromkeys(why for why in whys if why is not None)
    running = [why for why in told if why != NOT_RUNNING]
    return "; ".join(running) or NOT_RUNNING


def obstacle(order: Order, policy: Policy, standing: Standing) -> str | None:
    """Why this policy cannot carry out the order now; None if it can."""
    episode = standing.running
    if standing.undo is not None:
        return "what it wrote is being taken back"
    if episode is None:
        return unheard(order, policy, standing)
    if episode.undoing:
        return "it is being de-escalated"
    going = arrived(episode)
    match order.verb:
        case "acknowledge":
            return None if has_fired(going) else "no level has fired yet"
        case "escalate":
            return None if ahead(order, policy, going) else "no such level is ahead"
        case "approve" | "reject":
            return not_theirs(order, going) if asked(order, going) else "no level waits for approval"
    return None


def not_theirs(order: Order, episode: Episode) -> str | None:
    """Why this is not theirs to decide; None if it is. Where nobody was named, it is everybody's."""
    if not episode.approvers:
        return None
    who, level = order.who.casefold(), episode.awaiting
    if order.verb == "approve" and level == episode.pushed and who == episode.pushed_by.casefold():
        return f'level "{level}" was ordered by {order.who}, so somebody else must approve it'
    if who in episode.approvers or (order.admin and order.reason):
        return None
    return f"{episode.approver} was asked: they, who stands in for them, or an admin with a reason can {order.verb} it"


def unheard(order: Order, policy: Policy, standing: Standing) -> str | None:
    """Why a policy of which nothing runs cannot carry out the order: one that matches can be told to escalate."""
    if order.verb != "escalate" or order.policy is None:
        return NOT_RUNNING
    if not standing.matched:
        return "the policy does not match the ticket"
    known = order.level is None or order.level in (each.name for each in policy.levels)
    return None if known else "no such level is ahead"


def ahead(order: Order, policy: Policy, episode: Episode) -> str | None:
    """The level that an order to escalate means: the one that is named, else the next, if it is not passed yet."""
    names = [each.name for each in policy.levels]
    passed = {each.level for each in episode.passed}
    last = max((place for place, name in enumerate(names) if name in passed), default=-1)
    left = names[last + 1 :]
    if order.level is not None:
        return order.level if order.level in left else None
    return left[0] if left else None


def asked(order: Order, episode: Episode) -> str | None:
    """The level that waits for approval: not one that was overtaken meanwhile, and the one that is named, if one is."""
    waits = None if any(each.level == episode.awaiting for each in episode.passed) else episode.awaiting
    return waits if order.level in (None, waits) else None


LATER = "another one, given after it, counts"
UNREADABLE = "what it asks for is hidden from this user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obeyed:
    """What is seen with the orders carried out, until when the ticket is snoozed, and the lines of orders that no
    policy has carried out on its own."""

    seen: tuple[Observation, ...]
    snoozed_until: Instant | None
    said: tuple[Occurrence, ...] = ()


def obey(scene: Scene, seen: Sequence[Observation]) -> Obeyed:
    """Carry out the orders in turn, then go on taking back what was de-escalated."""
    done = Obeyed(seen=tuple(seen), snoozed_until=scene.snoozed_until)
    for place, order in enumerate(scene.orders):
        if order.verb == "undo":
            continue  # `policies.rules.undo` has seen to it
        done = (
            snooze(order, done)
            if order.verb == "snooze"
            else given(scene, order, scene.orders[place + 1 :], done)
        )
    undoing = any(each.state.running and each.state.running.undoing for each in done.seen)
    if not undoing:
        return done
    return replace(done, seen=tuple(of(each.policy, taken_back, scene, each) for each in done.seen))


def snooze(order: Order, done: Obeyed) -> Obeyed:
    """The ticket is quiet until then, whatever runs."""
    runs = next((each.state.episode for each in done.seen if each.state.running), None)
    policy = order.policy or (runs.policy if runs else "")
    line = said("snoozed", order, order.because, policy=policy, episode=runs.key if runs else "")
    return replace(done, snoozed_until=order.until or order.at, said=(*done.said, line))


def given(scene: Scene, order: Order, later: Sequence[Order], done: Obeyed) -> Obeyed:
    """The order as each policy that can carries it out. Of one kind for one policy, the last counts."""
    meant = [each for each in done.seen if order.policy in (None, each.policy.name)]
    whys = {each.policy.name: why_not(order, later, each) for each in meant}
    if not any(why is None for why in whys.values()):
        told = [why for why in dict.fromkeys(whys.values()) if why not in (None, NOT_RUNNING)]
        text = f"{order.verb} {order.because}; {'; '.join(map(str, told)) or NOT_RUNNING}"
        line = said("order refused", order, text, policy=order.policy or "", episode=episode_of(meant))
        return replace(done, said=(*done.said, line))
    seen = tuple(
        of(each.policy, OBEYING[order.verb], scene, order, each)
        if whys.get(each.policy.name, "") is None
        else each
        for each in done.seen
    )
    ends_snooze = order.verb == "escalate"
    return replace(done, seen=seen, snoozed_until=None if ends_snooze else done.snoozed_until)


def why_not(order: Order, later: Sequence[Order], found: Observation) -> str | None:
    """Why this policy does not carry out the order; None if it does."""
    name = found.policy.name
    if any(each.verb == order.verb and each.policy in (None, name) for each in later):
        return LATER
    if order.verb == "escalate" and found.verdict.unknown:
        return UNREADABLE
    return obstacle(order, found.policy, found.state)


def episode_of(seen: Sequence[Observation]) -> str:
    """The running episode that an order was meant for, if it is one."""
    keys = [episode.key for each in seen if (episode := each.state.running) is not None]
    return keys[0] if len(keys) == 1 else ""


def acknowledge(scene: Scene, order: Order, found: Observation) -> Observation:
    """As a person who takes, answers or notes the ticket does (rule 10)."""
    known = replace(running(found), acknowledged=order.at, acknowledged_by=order.who)
    told = kept(found, known, "acknowledged", order)
    if "acknowledged" not in found.policy.stop_on:
        return told
    end = End(reason="stop_on", stop="acknowledged", at=order.at, sequence=found.history.newest)
    return followed(scene, finished(scene, told, end), end, restarted=False)


def escalate(scene: Scene, order: Order, found: Observation) -> Observation:
    """The next level fires now, or the one that is named; with a policy of which nothing runs an episode begins."""
    if found.state.running is None:
        found = begun(scene, found, None, ordered=True)
    level = ahead(order, found.policy, running(found))
    pushed = replace(running(found), pushed=level, pushed_because=order.because, pushed_by=order.who)
    return kept(found, pushed, "escalated", order, level)


def deescalate(scene: Scene, order: Order, found: Observation) -> Observation:
    """What the episode wrote is restored, unless somebody has changed it since; then the episode ends."""
    back = replace(running(found), undoing=1, undone_because=order.because)
    told = kept(found, back, "deescalated", order)
    lost = undone(scene.ticket, found.history, back, scene.directory).left_out
    left = tuple(LeftOut(policy=back.policy, level="", what=what, why=why) for what, why in lost)
    return replace(told, left_out=left)


def approve(scene: Scene, order: Order, found: Observation) -> Observation:
    """The level that waits for approval may fire."""
    del scene
    episode = running(found)
    level = asked(order, episode)
    approved = replace(episode, approved=episode.approved | {level or ""}, awaiting=None)
    return kept(found, approved, "approved", order, level)


def reject(scene: Scene, order: Order, found: Observation) -> Observation:
    """The level that waits for approval is passed without firing: the owner stays."""
    del scene
    episode = running(found)
    level = asked(order, episode)
    passed = Passed(level=level or "", how=How.REJECTED, at=order.at, owner=episode.owner, why=order.because)
    rejected = replace(episode, passed=(*episode.passed, passed), awaiting=None, owes=None)
    return kept(found, rejected, "rejected", order, level)


OBEYING: dict[str, Callable[[Scene, Order, Observation], Observation]] = {
    "acknowledge": acknowledge,
    "escalate": escalate,
    "deescalate": deescalate,
    "approve": approve,
    "reject": reject,
}


def taken_back(scene: Scene, found: Observation) -> Observation:
    """A de-escalated episode with what is still to be put back; it ends when that is nothing, or has failed too often.
    A policy that only observes writes nothing."""
    episode = found.state.running
    if episode is None or not episode.undoing:
        return found
    wants = undone(scene.ticket, found.history, episode, scene.directory).actions
    if wants and scene.enforces(found.policy) and episode.undoing <= UNDO_TRIES:
        return replace(found, restores=wants)
    end = End(reason="deescalated")
    return followed(scene, finished(scene, found, end), end, restarted=False)


def kept(
    found: Observation, episode: Episode, what: str, order: Order, level: str | None = None
) -> Observation:
    """What is seen with the episode as the order leaves it, and the line for the ledger."""
    line = said(what, order, order.because, policy=episode.policy, episode=episode.key, level=level)
    return replace(found, state=replace(found.state, episode=episode), said=(*found.said, line))


def said(
    what: str, order: Order, text: str, *, policy: str, episode: str, level: str | None = None
) -> Occurrence:
    """The ledger's line for an order."""
    return Occurrence(
        what=what, policy=policy, episode=episode, level=level, at=order.at, text=text, who=order.who
    )
