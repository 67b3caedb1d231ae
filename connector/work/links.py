"""Links in messages with which people act: how they are made, kept out of the database, and judged when one is used.

The word of a link is a seal of all that it is bound to, by a key that the fleet shares. So it need not be kept: the
database has its digest, a notice that waits has that digest in its place, and whoever sends the notice seals again.
"""

import hmac
import json
import re
from dataclasses import dataclass, field
from hashlib import sha256

from sqlalchemy import Connection

from connector.store import links as kept_links
from connector.store.links import KeptLink, Link
from connector.store.notices import Notice
from connector.work.messages import Offered
from policies.language.policy import PolicySet
from policies.model import Instant, Seconds, TicketRef, message
from policies.plan import Notify, Plan, Say
from policies.rules.judgement import judgements
from policies.state import Episode, Standing

PATH = "/act/"
WORD = re.compile(r"[0-9a-f]{64}")
HELD_BACK = re.compile(rf"{PATH}#([0-9a-f]{{64}})")
GOOD_FOR: Seconds = 86400
"""How long a link is good that no deadline ends before."""

USED = message("it has been used")


def digest(word: str) -> str:
    """What the database keeps of a word."""
    return sha256(word.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Seals with the key. `outside` is where browsers reach the console; `shared` are channels whose address another
    has too, so that they are nobody's own."""

    key: bytes = field(repr=False)
    outside: str
    shared: frozenset[str] = frozenset()

    def whose(self, channel: str, policies: PolicySet) -> str:
        """The person whose own the channel is, and nobody else's: no policy names it for others to hear. Else empty."""
        named = any(channel in level.channels for each in policies.policies for level in each.levels)
        return "" if named or channel in self.shared else policies.staff.personal.get(channel, "")

    def word(self, link: Link) -> str:
        """The word of this link."""
        bound = [
            link.verb,
            link.ref.account,
            link.ref.id,
            link.policy,
            link.episode,
            link.level,
            link.channel,
            link.person,
            link.until,
        ]
        return self._seal("link", json.dumps(bound))

    def of_form(self, word: str, browser: str) -> str:
        """What a form on this link's page has to bring back from this browser."""
        return self._seal("form", json.dumps([word, browser]))

    def found(self, connection: Connection, word: str) -> KeptLink | None:
        """The link of this word, if we have made it, and with this key."""
        kept = kept_links.find(connection, digest(word)) if WORD.fullmatch(word) else None
        if kept is None or not hmac.compare_digest(self.word(kept.link), word):
            return None
        return kept

    def filled(self, connection: Connection, notice: Notice) -> str:
        """The text of a notice as it is sent: with the words of the links that were made for it."""
        known = kept_links.find_all(connection, HELD_BACK.findall(notice.body))

        def address(held: re.Match[str]) -> str:
            link = known.get(held[1])
            if link is None or (link.channel, link.ref) != (notice.channel, notice.ref):
                return PATH
            word = self.word(link)
            return f"{PATH}{word}" if digest(word) == held[1] else PATH

        return HELD_BACK.sub(address, notice.body)

    def _seal(self, what: str, text: str) -> str:
        return hmac.digest(self.key, f"{what} {text}".encode(), "sha256").hex()


@dataclass(slots=True, kw_only=True)
class Offers:
    """The links that one plan's messages may have. `made` are they, by address: digest and link."""

    links: Links
    plan: Plan
    ref: TicketRef
    policies: PolicySet
    made: dict[str, tuple[str, Link]] = field(default_factory=dict)

    def __call__(self, about: Say | Notify) -> Offered:
        """Those for one message; customers get none."""
        episode = next(
            (each.episode for each in self.plan.standings if each.policy == about.policy and each.running),
            None,
        )
        if episode is None or (isinstance(about, Say) and about.public):
            return Offered()
        verbs = [
            verb
            for verb in ("acknowledge", "snooze", "approve", "reject")
            if fits(verb, about.level, episode)
        ]
        return Offered(**{verb: self._address(verb, about, episode) for verb in verbs})

    def _address(self, verb: str, about: Say | Notify, episode: Episode) -> str:
        channel = about.channel if isinstance(about, Notify) else ""
        link = Link(
            verb=verb,
            ref=self.ref,
            policy=about.policy,
            episode=episode.key,
            level=about.level,
            channel=channel,
            person=self.links.whose(channel, self.policies),
            until=self._until(verb, about),
        )
        word = self.links.word(link)
        kept = digest(word)
        address = f"{self.links.outside}{PATH}{f'#{kept}' if channel else word}"
        self.made[address] = kept, link
        return address

    def _until(self, verb: str, about: Say | Notify) -> Instant:
        if verb in ("approve", "reject"):
            judged = next((each for each in judgements(self.plan) if each.policy == about.policy), None)
            levels = judged.levels if judged else ()
            until = next((each.until for each in levels if each.name == about.level), None)
            if until is not None:
                return until
        return self.plan.now + GOOD_FOR


def fits(verb: str, level: str, episode: Episode) -> bool:
    """Whether the episode stands where this order, for this level, is one to give."""
    if verb in ("approve", "reject"):
        return episode.awaiting == level
    last = (
        episode.under_way.level if episode.under_way else episode.passed[-1].level if episode.passed else None
    )
    if verb == "acknowledge":
        return episode.acknowledged is None and last == level
    return level in (last, episode.awaiting)


def why_over(kept: KeptLink, standing: Standing | None, whose: str, now: Instant) -> str | None:
    """Why a link is not good any more; None while it is. `whose` its channel is by now, empty if nobody's own."""
    link, episode = kept.link, standing.running if standing else None
    if kept.used is not None:
        return USED
    if link.until <= now:
        return message("its time is over")
    if link.person and link.person != whose:
        return message("the channel it came by is no longer that person's own")
    if episode is None or episode.key != link.episode:
        return message("the escalation has ended")
    if not fits(link.verb, link.level, episode):
        return message("the escalation has moved on since")
    return None
