"""Whether a policy's `when` holds on a ticket, with the silent line about solved and closed (rule 4)."""

from dataclasses import dataclass

from policies.model import Ticket
from policies.plan import LineTrace
from policies.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`when` says whether all its lines hold, `excluded` whether a line of `unless` does. Either is None where that
    hangs on what the helpdesk does not show (rule 8)."""

    when: bool | None
    excluded: bool | None
    lines: tuple[LineTrace, ...]

    @property
    def holds(self) -> bool:
        """What the rules mean by "`when` holds". An `unless` that cannot be read does not exclude."""
        return self.when is True and self.excluded is not True

    @property
    def unknown(self) -> bool:
        """Whether nobody can tell: then no episode begins or ends by it, and nothing fires."""
        return self.when is None and self.excluded is not True


def judged(policy: Policy, ticket: Ticket) -> Verdict:
    """Every line, also those behind a failed one: the trace shows them all."""
    when, when_lines = policy.when.all_hold(ticket)
    excluded, unless_lines = policy.unless.any_holds(ticket)
    return Verdict(when=when, excluded=excluded, lines=(*when_lines, *unless_lines))


def could_hold(policy: Policy, snapshot: Ticket) -> bool:
    """False only if the policy cannot match this row whatever else is loaded and shown."""
    if not policy.when.maybe(snapshot):
        return False
    return not policy.unless.certainly_excludes(snapshot)
