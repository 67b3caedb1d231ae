"""What the language defines and this version does not carry out yet: `check` refuses it, nothing is ignored."""

from policies.table import Table

NOT_YET = frozenset(
    {
        "level.notify",
        "operator.matches",
        "when.any",
        "when.all",
        "clock.since_agent_reply",
        "clock.assignee_silent",
        "clock.untouched",
        "clock.matching",
        "clock.first_reply",
        "clock.next_reply",
        "clock.resolution",
        "policy.pause_on",
        "policy.backlog",
        "level.clock",
        "level.before",
        "level.at",
        "level.repeat",
        "level.set",
        "level.follow",
        "assign.agent",
        "owner.function",
        "sla",
    }
)


def not_yet(table: Table, key: str, word: str) -> bool:
    """Note that this part of the language is not carried out yet, if so; returns whether it is."""
    if word not in NOT_YET:
        return False
    name = word.rpartition(".")[2]
    table.report(key, "not-yet", f"`{name}` is not carried out yet by this version; remove it for now.")
    return True
