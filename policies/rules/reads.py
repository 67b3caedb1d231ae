"""What of a ticket the policies of an account read and write, in the words of `Ticket.hidden`: `check --online` names
what our user cannot see of it."""

from collections.abc import Iterator

from policies.language.policy import Level, Policy, PolicySet
from policies.model import Metric
from policies.rules.assignment import assignment_reads
from policies.rules.clocks import PAUSES_READ, READS, TABLE_READS

KNOWN_ANYWAY = frozenset({"account", "assignee_away"})
"""What Uptier itself tells."""

STOPS_READ = {
    "agent_reply": frozenset({"messages"}),
    "customer_message": frozenset({"messages"}),
    "assigned": frozenset({"changes"}),
    "acknowledged": frozenset[str](),
}
"""What the words of `stop_on` read; who acknowledges in Uptier is asked of nobody else."""


def reads_of(policies: PolicySet, account: str) -> frozenset[str]:
    """What conditions, clocks and actions of the policies that serve this account need to see."""
    found = (names for policy in policies.serving(account) for names in of_policy(policy, policies, account))
    return frozenset[str]().union(*found) - KNOWN_ANYWAY


def of_policy(policy: Policy, policies: PolicySet, account: str) -> Iterator[frozenset[str]]:
    """What one policy needs to see."""
    for line in (*policy.when.lines, *policy.unless.lines):
        yield line.every_read()
    yield READS[policy.clock]
    yield PAUSES_READ if policy.pause_on else frozenset()
    yield from (STOPS_READ[word] for word in policy.stop_on)
    yield frozenset({"tags"} if policy.acknowledge_tags else ())
    if any(each.serves(account) and policy.clock in each.targets for each in policies.slas):
        yield TABLE_READS[Metric(policy.clock)]
    for level in policy.levels:
        for variant in level.variants:
            yield of_level(variant)


def of_level(level: Level) -> frozenset[str]:
    """What a level reads in order to act, and the fields it writes."""
    assigns = assignment_reads(level.assign) | {"group", "assignee"} if level.assign else frozenset[str]()
    fields = {name for name, _ in level.set} | ({"priority"} if level.priority else set())
    if level.owner == "assignee":
        fields.add("assignee")
    return assigns | fields | ({"tags"} if level.tags or level.untag else frozenset())
