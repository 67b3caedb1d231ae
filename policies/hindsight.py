"""What a look would have made of a ticket at a past instant, by the policies of now, and of each value that it read
whether that is how it was then.

As everywhere, the ticket's life is played up to the instant and what falls due before is done before: here from its
first minute, as its history tells it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from policies.language.clocks import CLOCKS, HIDDEN, PAUSES_READ
from policies.language.conditions import Condition
from policies.language.fields import CUSTOM
from policies.language.policy import Policy, PolicySet
from policies.model import Directory, Instant, Ticket
from policies.past import AS_NOW, COUNTED, MOVED, RECENT, UNASKED, life_of
from policies.present.explain import PolicyTrace, traced
from policies.replay import Rulebook, Step, judged_at

Told = Literal["as then", "as now", "unknown"]
"""How a value of a past instant is known: the history tells it; nobody tells its changes, so that the one of now (or of
when the archive was made) stands for it; or nobody can tell."""

VALUELESS = frozenset({*COUNTED, *RECENT, "satisfaction", "status_name"})
"""Of what a history does not tell, that which today's value cannot stand for."""

NOT_TOLD = "not told by the history"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindsight:
    """The look at a past instant. `told` says of each line of a policy, by the policy's name and the line's words, and
    of its clock, by the clock's name, how what it read is known."""

    step: Step
    told: Mapping[tuple[str, str], Told]

    @property
    def trace(self) -> tuple[PolicyTrace, ...]:
        """The trace of each policy. What is hidden in it is what nobody tells."""
        return tuple(map(in_the_past, traced(self.step.plan)))


def judged_then(
    ticket: Ticket, unknown: frozenset[str], rules: Rulebook, directory: Directory, at: Instant
) -> Hindsight:
    """The look at this ticket then. `ticket` has its whole history, with what is ours recognised, and `unknown` names
    what of its past nobody tells (`policies.past.unknown_past`). ValueError before it came in."""
    veil = (unknown | RECENT) & VALUELESS
    life = life_of(ticket, directory)
    born = replace(life.ticket, hidden=life.ticket.hidden | veil)
    step = judged_at(replace(life, ticket=born), rules, directory, at)
    known = How(ticket=ticket, unknown=unknown, at=at)
    return Hindsight(step=step, told=dict(known.of_policies(rules.policies)))


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How the values that one ticket had at a past instant are known."""

    ticket: Ticket
    unknown: frozenset[str]
    at: Instant

    def of(self, name: str) -> Told:
        """How the value of this field, history or clock is known, in the words of `Ticket.hidden`."""
        if name in self.ticket.hidden or name in RECENT or name == UNASKED:
            return "unknown"
        if name in AS_NOW:
            return "as now"
        if name == "changes" and not self.unknown.isdisjoint(MOVED):
            return "unknown"
        if name not in self.unknown:
            return "as then"
        if name == "targets":
            return "as now"
        is_kept = name in MOVED or name.startswith(CUSTOM)
        moved = any(change.field == name and change.act.at > self.at for change in self.ticket.changes)
        return "as now" if is_kept and not moved else "unknown"

    def of_all(self, names: Iterable[str]) -> Told:
        """How what hangs on all of these is known: as the least of them."""
        found = set(map(self.of, names))
        return "unknown" if "unknown" in found else "as now" if "as now" in found else "as then"

    def of_policies(self, policies: PolicySet) -> Iterator[tuple[tuple[str, str], Told]]:
        """How what each policy reads is known."""
        for policy in policies.serving(self.ticket.ref.account):
            for line in (*policy.when.lines, *policy.unless.lines):
                for each in within(line):
                    yield (policy.name, each.text), self.of_all(each.reads)
            yield (policy.name, policy.clock), self.of_all(self.clock_reads(policy))

    def clock_reads(self, policy: Policy) -> frozenset[str]:
        """What the policy's clock reads on this ticket."""
        clock = CLOCKS[policy.clock]
        by_table = clock.metric is not None and not self.ticket.targets
        paused = PAUSES_READ if policy.pause_on else frozenset[str]()
        return (clock.table_reads if by_table else clock.reads) | paused


def within(line: Condition) -> Iterator[Condition]:
    """The lines that read a ticket themselves."""
    if not line.inner:
        yield line
    for each in line.inner:
        yield from within(each)


def in_the_past(trace: PolicyTrace) -> PolicyTrace:
    """The trace with the words for what nobody tells."""
    clock = trace.clock
    if clock is not None and clock.why_absent is not None:
        clock = replace(clock, why_absent=clock.why_absent.replace(HIDDEN, NOT_TOLD))
    return replace(trace, verdict=trace.verdict.replace(HIDDEN, NOT_TOLD), clock=clock)
