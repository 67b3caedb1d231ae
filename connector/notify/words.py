"""What a message says that holds several notices, and what the ledger says of a notice's end."""

from collections.abc import Sequence

from connector.store.ledger import Line
from connector.store.notices import KeptNotice
from policies.model import Instant

LONGEST = 3_000
"""Characters of a message that holds several; above that it lists their titles."""

LISTED = 40


def gathered(kept: Sequence[KeptNotice]) -> tuple[str, str]:
    """The title and text of one message for all of these."""
    if len(kept) == 1:
        return kept[0].notice.title, kept[0].notice.body
    whole = "\n\n".join(each.notice.body for each in kept)
    if len(whole) <= LONGEST:
        return f"{len(kept)} escalations", whole
    titles = [each.notice.title for each in kept[:LISTED]]
    more = [f"and {len(kept) - LISTED} more"] if len(kept) > LISTED else []
    return f"{len(kept)} escalations", "\n".join([*titles, *more])


def line_about(kept: KeptNotice, what: str, text: str, together: int, now: Instant) -> Line:
    """The ledger's line for a notice that ended so; `together` is how many ended with it."""
    notice = kept.notice
    beside = f"in one message with {together - 1} others" if what == "notified" and together > 1 else ""
    return Line(
        at=now,
        account=notice.ref.account,
        ticket=notice.ref.id,
        policy=notice.policy,
        episode=min(notice.episodes, default=""),
        level=notice.level,
        what=what,
        text=": ".join(part for part in (notice.channel, text or beside) if part),
        data={"key": notice.key, "attempt": kept.attempt, "channel": notice.channel},
    )
