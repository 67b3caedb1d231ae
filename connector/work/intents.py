"""From a plan to the requests that carry it out: texts rendered, keys given, gaps named. Nothing is sent."""

from dataclasses import dataclass

from adapters.base import Adapter, Write
from policies.model import Ticket
from policies.plan import LeftOut, Plan
from policies.policy import PolicySet


@dataclass(frozen=True, slots=True, kw_only=True)
class Chained:
    """A write of this plan, the episodes it is made for, and the level the first of them is at."""

    write: Write
    episodes: frozenset[str]
    policy: str
    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intents:
    """The writes of one plan in sending order, and what the helpdesk cannot do of it."""

    chain: tuple[Chained, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def prepare(adapter: Adapter, ticket: Ticket, plan: Plan, policies: PolicySet) -> Intents:
    """The fewest requests for what the plan wants. What the vendor cannot do is named, never sent."""
    if not plan.wanted:
        return Intents()
    levels = {
        one.episode.key: (one.policy, one.episode.under_way.level)
        for one in plan.standings
        if one.episode is not None and one.episode.under_way is not None
    }
    able = {kind_of(wanted): wanted for wanted in ()}  # type: ignore[var-annotated]
    return Intents()
