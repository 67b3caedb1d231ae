"""The policies as they run now: the checked set and its calendars, replaced as a whole on reload."""

from collections.abc import Mapping
from dataclasses import dataclass

from policies.calendars import Calendar
from policies.model import Instant
from policies.policy import PolicySet


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a look is judged by. `first_ran` says, by account and policy, since when it has run there."""

    policies: PolicySet
    calendars: Mapping[str, Calendar]
    first_ran: Mapping[str, Mapping[str, Instant]]
