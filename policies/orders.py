"""What a person ordered for a ticket: acknowledge, snooze, escalate, de-escalate, approve or reject a level.

An order is carried out in the next look (`policies.obey`). What can be ordered now is one rule, here, for that look as
well as for console, API and command line.
"""

from collections.abc import Iterable, Mapping

from policies.episodes import climbed, has_fired, live
from policies.memory import Episode, Standing
from policies.model import Order
from policies.policy import Policy

UNDO_TRIES = 3
"""How often restoring what was written is tried before the episode ends all the same."""

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
    episode = live(standing)
    if episode is None:
        return unheard(order, policy, standing)
    if episode.undoing:
        return "it is being de-escalated"
    going = climbed(episode)
    match order.verb:
        case "acknowledge":
            return None if has_fired(going) else "no level has fired yet"
        case "escalate":
            return None if ahead(order, policy, going) else "no such level is ahead"
        case "approve" | "reject":
            return None if asked(order, going) else "no level waits for approval"
    return None


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
