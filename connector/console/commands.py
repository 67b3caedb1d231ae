"""What people may do from the console: the same orders as on the command line, with their name in the ledger."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from sqlalchemy import Connection

from connector.clock import moment_asked
from connector.console.listing import OrderTold
from connector.intake.inbox import VERBS, OrderRefused, submit_order
from connector.store import holds
from connector.store import links as kept_links
from connector.store.database import Store, advisory_lock
from connector.store.links import KeptLink
from connector.store.standings import standings_of
from connector.store.users import User
from connector.work.links import USED, Links, digest, why_over
from connector.work.undoing import CannotUndo, Line, of_many, of_one, submit
from policies.language.policy import PolicySet
from policies.model import Instant, TicketRef, message

DONE: Mapping[str, str] = {
    verb: f"{verb} is carried out with the next look, within seconds" for verb in VERBS
} | {
    "release": "What was held goes on.",
    "apply": "The service does what the plan says, within seconds.",
    "undo": "It is taken back, within seconds where little is.",
    "revoke": "The token has ended.",
    "view": "The view is kept.",
    "unview": "The view is gone.",
    "settings": "It is kept.",
}
"""What a page says after an order, by the code in its address."""


class Refused(Exception):
    """It cannot be done as it was asked; the text says why."""


class LinkOver(Exception):
    """A link in a message is not good, or not any more; the text says why."""


UNKNOWN = message("it is none of ours")


def order(
    store: Store, ref: TicketRef, said: Mapping[str, str], user: User, now: Instant, policies: PolicySet
) -> str:
    """Leave an order for the ticket's next look; answers its verb. Raises Refused."""
    try:
        given = submit_order(
            store,
            ref,
            verb=said.get("verb", ""),
            who=user.name,
            admin=user.role == "admin",
            now=now,
            policies=policies,
            reason=said.get("reason", ""),
            policy=said.get("policy"),
            level=said.get("level"),
            span=said.get("for", ""),
        )
    except OrderRefused as refused:
        raise Refused(str(refused)) from None
    return given.verb


def act(
    store: Store,
    links: Links | None,
    word: str,
    said: Mapping[str, str],
    user: User,
    now: Instant,
    policies: PolicySet,
) -> None:
    """Leave the order of a link, and use it. Of the form only the reason and the time of a snooze count. Raises
    LinkOver if it is not good any more, and Refused."""
    if links is None:
        raise LinkOver(UNKNOWN)
    link = good_link(store, links, word, now, policies).link

    def claim(connection: Connection) -> None:
        advisory_lock(connection, str(link.ref))
        why = _why_over(connection, links, word, now, policies)
        if why is not None or not kept_links.use(connection, digest(word), now):
            raise LinkOver(why or USED)

    try:
        submit_order(
            store,
            link.ref,
            verb=link.verb,
            who=link.person or user.name,
            admin=not link.person and user.role == "admin",
            now=now,
            policies=policies,
            reason=said.get("reason", ""),
            policy=link.policy,
            level=link.level if link.verb in ("approve", "reject") else None,
            span=said.get("for", ""),
            claim=claim,
        )
    except OrderRefused as refused:
        raise Refused(str(refused)) from None


def good_link(store: Store, links: Links | None, word: str, now: Instant, policies: PolicySet) -> KeptLink:
    """The link of this word. Raises LinkOver if it is not good, or not any more."""
    if links is None:
        raise LinkOver(UNKNOWN)
    with store.reading() as connection:
        kept, why = links.found(connection, word), _why_over(connection, links, word, now, policies)
    if kept is None or why is not None:
        raise LinkOver(why or UNKNOWN)
    return kept


def _why_over(
    connection: Connection, links: Links, word: str, now: Instant, policies: PolicySet
) -> str | None:
    kept = links.found(connection, word)
    if kept is None:
        return UNKNOWN
    standings = standings_of(connection, kept.link.ref)
    standing = next((each for each in standings if each.policy == kept.link.policy), None)
    return why_over(kept, standing, links.whose(kept.link.channel, policies), now)


SELECTED = "t:"
"""What the name of a box in the list begins with; the ticket follows, and its value is the ticket's worst policy."""


def give_many(
    store: Store, said: Mapping[str, str], user: User, now: Instant, policies: PolicySet
) -> tuple[OrderTold, ...]:
    """Leave an order for each ticket that is selected, or release it; what was refused stops none of the others."""
    told = []
    for name, policy in said.items():
        account, _, number = name.removeprefix(SELECTED).partition("/")
        if (
            not name.startswith(SELECTED) or not account or not number
        ):  # without a number it would be all of an account
            continue
        ref, why = TicketRef(account, number), ""
        try:
            if said.get("verb") == "release":
                release(store, account, number, "", user.name, said.get("reason", ""), now)
            else:
                meant = dict(said) | ({"policy": policy} if said.get("verb") == "escalate" else {})
                order(store, ref, meant, user, now, policies)
        except Refused as refused:
            why = str(refused).removeprefix(f"{ref}: ")
        told.append(OrderTold(ref=ref, why=why))
    return tuple(told)


def release(store: Store, account: str, ticket: str, policy: str, who: str, why: str, now: Instant) -> int:
    """Let a held ticket, or with an empty `ticket` a held account or the start of a policy there, go on; answers how
    many holds that were. Raises Refused."""
    try:
        with store.writing() as connection:
            return holds.release(connection, account, ticket, policy, who=who, why=why, now=now)
    except holds.NotHeld as error:
        raise Refused(str(error)) from None


def undo_shown(store: Store, said: Mapping[str, str], now: Instant) -> tuple[Line, ...]:
    """What an undo would do, of an `episode`, or of all that a `policy` did `since`; nothing where neither is named.
    Raises Refused."""
    episode, policy, since = (said.get(key, "").strip() for key in ("episode", "policy", "since"))
    try:
        if episode:
            return of_one(store, episode, None)
        if not policy:
            return ()
        return of_many(store, policy, moment_asked(since or "-2h", now), said.get("account") or None)
    except (CannotUndo, ValueError) as error:
        raise Refused(str(error)) from None


def digest_of(lines: Sequence[Line]) -> str:
    """What a yes to these lines names them by."""
    return sha256("\n".join(line.key for line in lines if not line.why_not).encode()).hexdigest()


def undo(store: Store, said: Mapping[str, str], who: str, now: Instant) -> int:
    """Take back what was shown; answers on how many tickets. Raises Refused."""
    why, lines = said.get("reason", "").strip(), undo_shown(store, said, now)
    if not why:
        raise Refused("say why: undo wants a reason")
    if digest_of(lines) != said.get("digest", ""):
        raise Refused("something has happened since it was shown; look at it again")
    if not (done := submit(store, lines, who=who, reason=why, now=now)):
        raise Refused("nothing is left to take back")
    return done
