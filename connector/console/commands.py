"""What people may do from the console: the same orders as on the command line, with their name in the ledger."""

from collections.abc import Mapping
from typing import get_args

from connector.store import holds, inbox
from connector.store.database import Store
from policies import model
from policies.language.policy import PolicySet
from policies.model import Instant, Order, TicketRef, Verb

VERBS: tuple[Verb, ...] = get_args(Verb)
REASONED = ("snooze", "escalate", "deescalate", "reject")


DONE: Mapping[str, str] = {
    verb: f"{verb} is carried out with the next look, within seconds" for verb in VERBS
} | {
    "release": "What was held goes on.",
    "revoke": "The token has ended.",
}
"""What a page says after an order, by the code in its address."""


class Refused(Exception):
    """It cannot be done as it was asked; the text says why."""


def order(
    store: Store, ref: TicketRef, said: Mapping[str, str], who: str, now: Instant, policies: PolicySet
) -> Verb:
    """Leave an order for the ticket's next look; answers its verb. Raises Refused."""
    verb = next((each for each in VERBS if each == said.get("verb")), None)
    if verb is None:
        raise Refused(f"there is no order {said.get('verb', '')!r}; there are {', '.join(VERBS)}")
    reason = said.get("reason", "").strip()
    if verb in REASONED and not reason:
        raise Refused(f"say why: {verb} wants a reason")
    given = Order(
        verb=verb,
        who=who,
        at=now,
        reason=reason,
        policy=said.get("policy") or None,
        level=said.get("level") or None,
        until=now + _span(said.get("for", "")) if verb == "snooze" else None,
    )
    with store.writing() as connection:
        if why := inbox.refused_order(connection, ref, given, policies):
            raise Refused(f"{ref}: {why}")
        inbox.give_order(connection, ref, given)
    return verb


def release(store: Store, account: str, ticket: str, who: str, why: str, now: Instant) -> int:
    """Let a held ticket, or with an empty `ticket` a held account, go on; answers how many holds that were. Raises
    Refused."""
    with store.writing() as connection:
        meant = [
            one
            for one in holds.every(connection)
            if one.ref.account == account and ticket in ("", one.ref.id)
        ]
        if not meant:
            raise Refused(f"nothing is held at {account}/{ticket}")
        if ticket and meant[0].scope == "account":
            raise Refused(f"the whole account {account} is held, not this ticket alone")
        holds.release(connection, meant, account, ticket, who=who, why=why, now=now)
    return len(meant)


def _span(text: str) -> int:
    try:
        return model.seconds(text)
    except ValueError as error:
        raise Refused(f"how long: {error}") from None
