"""The policies as they run now: the checked set and its calendars, replaced as a whole on reload."""

from collections.abc import Mapping
from dataclasses import dataclass

from policies.calendars import Calendar
from policies.policy import PolicySet


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a look at a ticket is judged by."""

    policies: PolicySet
    calendars: Mapping[str, Calendar]
