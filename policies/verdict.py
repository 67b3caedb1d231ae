"""Whether a policy's `when` holds on a ticket, with the silent line about solved and closed (rule 4)."""

from dataclasses import dataclass

from policies.model import Ticket
from policies.plan import LineTrace
from policies.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`when` says whether all its lines hold, `excluded` whether a line of `unless` does."""

    when: bool
    excluded: bool
    lines: tuple[LineTrace, ...]

    @property
    def holds(self) -> bool:
        """What the rules mean by "`when` holds"."""
        return self.when and not self.excluded


def judged(policy: Policy, ticket: Ticket) -> Verdict:
    """Every line, also those behind a failed one: the trace shows them all."""
    when, when_lines = policy.when.all_hold(ticket)
    excluded, unless_lines = policy.unless.any_holds(ticket)
    return Verdict(when=when, excluded=excluded, lines=(*when_lines, *unless_lines))


def could_hold(policy: Policy, snapshot: Ticket) -> bool:
    """False only if the policy cannot match this row whatever else is loaded."""
    if not policy.when.maybe(snapshot):
        return False
    return not policy.unless.certainly_excludes(snapshot)
