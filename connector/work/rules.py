"""The policies as they run now: the checked set and its calendars, replaced as a whole on reload."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from policies.evaluate import evaluate
from policies.language.policy import PolicySet, with_staff
from policies.language.references import KnownAccount
from policies.model import Directory, Instant, Order, Ticket
from policies.plan import Plan
from policies.rules.assignment import holding_back, waiting_levels
from policies.rules.calendars import Calendar
from policies.state import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a look is judged by. `first_ran` says, by account and policy, since when it has run there."""

    policies: PolicySet
    calendars: Mapping[str, Calendar]
    first_ran: Mapping[str, Mapping[str, Instant]]

    def judge(
        self,
        ticket: Ticket,
        standings: tuple[Standing, ...],
        directory: Directory,
        now: Instant,
        orders: tuple[Order, ...] = (),
        *,
        names: KnownAccount | None,
    ) -> Plan:
        """What to do now about a ticket as it was read, and about what people ordered for it. A level that uses a name
        which is not among `names` waits; None where no directory was read lately."""
        account = ticket.ref.account
        policies = holding_back(self.policies, waiting_levels(self.policies, account, names))
        first_ran = self.first_ran.get(account, {})
        people = self.peopled(directory, now)
        return evaluate(ticket, policies, standings, people, self.calendars, now, first_ran, orders)

    def peopled(self, directory: Directory, now: Instant) -> Directory:
        """The directory with what the files say of leads, managers, duty and absences; the files win."""
        return replace(
            with_staff(directory, self.policies.staff, now),
            leads={**directory.leads, **self.policies.leads},
            managers={**directory.managers, **self.policies.managers},
            on_call={**directory.on_call, **self.policies.on_call},
        )


class InForce:
    """The rules that are in force. Any thread may ask; a look uses one answer from its beginning to its end."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def __call__(self) -> Rules:
        """The rules now."""
        return self._rules

    def replace(self, rules: Rules) -> None:
        """From the next look on, these."""
        self._rules = rules
