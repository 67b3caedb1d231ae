"""Who owns the ticket: the owner of the latest passing, one at a time from the first on (rule 9)."""

from policies.memory import Owner, Ownership, Standing


def latest_ownership(standings: tuple[Standing, ...]) -> Ownership | None:
    """The latest passing among these standings, which are in policy order: at one instant the first wins.
    What was only observed counts as long as nothing was enforced."""
    known = [standing.ownership for standing in standings if standing.ownership is not None]
    enforced = [each for each in known if each.enforced]
    return max(enforced or known, key=lambda each: each.at, default=None)


def ticket_owner(standings: tuple[Standing, ...]) -> Owner | None:
    """The ticket's owner, or None before the first passed level."""
    latest = latest_ownership(standings)
    return latest.owner if latest else None
