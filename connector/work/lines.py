"""Ledger lines for what happened to an episode."""

from collections.abc import Iterable

from connector.store.ledger import Line
from policies.memory import Standing
from policies.model import TicketRef
from policies.plan import Occurrence


def line_of(ref: TicketRef, occurrence: Occurrence, remembered: Iterable[Standing]) -> Line:
    """The ledger's line for an occurrence; the policy text's hash is that of the episode."""
    hashes = {one.episode.key: one.episode.policy_hash for one in remembered if one.episode is not None}
    return Line(
        at=occurrence.at,
        account=ref.account,
        ticket=ref.id,
        what=occurrence.what,
        policy=occurrence.policy,
        episode=occurrence.episode,
        level=occurrence.level,
        owner=occurrence.owner,
        text=occurrence.text,
        policy_hash=hashes.get(occurrence.episode, ""),
    )
