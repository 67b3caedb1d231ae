"""Whether a policy's `when` holds on a ticket, with the silent line about solved and closed (rule 4)."""

from dataclasses import dataclass

from policies.facts import OVER
from policies.model import Status, Ticket
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
    silent = silent_line(policy, ticket)
    when, when_lines = policy.when.all_hold(ticket)
    excluded, unless_lines = policy.unless.any_holds(ticket)
    lines = (silent, *when_lines, *unless_lines)
    return Verdict(when=silent.held and when, excluded=excluded, lines=lines)


def silent_line(policy: Policy, ticket: Ticket) -> LineTrace:
    """The line that every `when` has without saying so."""
    refused = frozenset({Status.CLOSED}) if policy.when.asks_solved else OVER
    text = "status is not closed" if policy.when.asks_solved else "status is not solved or closed"
    held = ticket.status not in refused
    return LineTrace(section="when", path="status", text=text, read=ticket.status.value, held=held)


def could_hold(policy: Policy, snapshot: Ticket) -> bool:
    """False only if the policy cannot match this row whatever else is loaded."""
    if not silent_line(policy, snapshot).held or not policy.when.maybe(snapshot):
        return False
    return not policy.unless.certainly_excludes(snapshot)
