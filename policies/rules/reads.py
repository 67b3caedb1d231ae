"""What of a ticket the policies of an account read and write, in the words of `Ticket.hidden`: `check --online` names
what our user cannot see of it."""

from collections.abc import Iterator

from policies.language.clocks import CLOCKS, PAUSES_READ
from policies.language.policy import Level, Policy, PolicySet
from policies.language.vocabulary import STOPS
from policies.rules.assignment import assignment_reads

KNOWN_ANYWAY = frozenset({"account", "assignee_away"})
"""What Uptier itself tells."""


def reads_of(policies: PolicySet, account: str) -> frozenset[str]:
    """What conditions, clocks and actions of the policies that serve this account need to see."""
    found = (names for policy in policies.serving(account) for names in of_policy(policy, policies, account))
    return frozenset[str]().union(*found) - KNOWN_ANYWAY


def of_policy(policy: Policy, policies: PolicySet, account: str) -> Iterator[frozenset[str]]:
    """What one policy needs to see."""
    for line in (*policy.when.lines, *policy.unless.lines):
        yield line.every_read()
    yield CLOCKS[policy.clock].reads
    yield PAUSES_READ if policy.pause_on else frozenset()
    yield from (STOPS[word].reads for word in policy.stop_on)
    yield frozenset({"tags"} if policy.acknowledge_tags else ())
    if any(each.serves(account) and policy.clock in each.targets for each in policies.slas):
        yield CLOCKS[policy.clock].table_reads
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
