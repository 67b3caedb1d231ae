"""What the language defines and this version does not carry out yet: `check` refuses it, nothing is ignored."""

from policies.table import Table

NOT_YET = frozenset({"level.notify"})


def not_yet(table: Table, key: str, word: str) -> bool:
    """Note that this part of the language is not carried out yet, if so; returns whether it is."""
    if word not in NOT_YET:
        return False
    name = word.rpartition(".")[2]
    table.report(key, "not-yet", f"`{name}` is not carried out yet by this version; remove it for now.")
    return True
