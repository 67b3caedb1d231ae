"""Whether a notice is still to be sent: asked right before each sending (rules 3, 4 and 12)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from adapters.base import Gone, HelpdeskError, NotAllowed, Unreadable
from connector.clock import Clock
from connector.store import accounts, writes
from connector.store.database import Store
from connector.store.episodes import episodes_of
from connector.store.notices import KeptNotice
from connector.store.standings import standings_of
from connector.work.budget import Desk, Desks
from connector.work.context import Rules, complete
from policies.language.policy import PolicySet
from policies.model import Instant, Seconds
from policies.rules.assignment import waiting_levels
from policies.state import Episode, How, Standing

FRESH: Seconds = 5
"""A look this young is not repeated."""

UNDER_WAY: Seconds = 30
"""How long a notice waits for the first write of its level; a helpdesk in trouble does not keep it longer."""

NEVER_FIRED: Seconds = 3600
CARRIED_OUT = (How.FIRED, How.REFUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What is to become of a notice now, and why; one that waits is asked about again at `until`."""

    what: Literal["send", "drop", "wait"]
    why: str = ""
    until: Instant = 0


SEND = Fate(what="send")


class Recheck:
    """Judges notices. One for each round: a helpdesk that does not answer is not asked again in it."""

    def __init__(self, store: Store, clock: Clock, desks: Desks, rules: Callable[[], Rules]) -> None:
        self._store = store
        self._clock = clock
        self._desks = desks
        self._rules = rules
        self._silent: set[str] = set()

    def __call__(self, kept: KeptNotice) -> Fate:
        """The notice's fate by what is remembered, and unless that is fresh, by the ticket as it is now. Where the
        helpdesk cannot be asked, what is remembered decides."""
        ref, now, rules = kept.notice.ref, self._clock.now(), self._rules()
        if not kept.notice.episodes:  # it puts right what was said of episodes, and hangs on none
            return SEND
        with self._store.reading() as connection:
            remembered = standings_of(connection, ref)
            past = episodes_of(connection, ref)
        if not ref.id:
            return self._by_start(kept, rules.policies)
        fate = by_rules(kept, rules.policies) or by_memory(kept, remembered, past, now)
        desk = self._desks.get(ref.account)
        if fate != SEND or desk is None or now - kept.planned_at < FRESH or ref.account in self._silent:
            return fate
        return self._by_ticket(kept, desk, remembered)

    def _by_start(self, kept: KeptNotice, policies: PolicySet) -> Fate:
        """That the start of a policy is held, a channel hears as long as it is."""
        notice = kept.notice
        with self._store.reading() as connection:
            held = {one.policy for one in accounts.starts(connection, notice.ref.account, "held")}
        if notice.policy not in held:
            return Fate(what="drop", why="it was released meanwhile")
        return by_rules(kept, policies) or SEND

    def _by_ticket(self, kept: KeptNotice, desk: Desk, remembered: tuple[Standing, ...]) -> Fate:
        ref, rules = kept.notice.ref, self._rules()
        with self._store.reading() as connection:
            ours = writes.episodes_by_fact(connection, ref)
            directory = accounts.read_directory(connection, ref.account)
        if directory is None:
            return SEND
        try:
            with desk.budget.lane("backfill"), desk.budget.sent_for("notification"):
                ticket = desk.adapter.load(ref, rules.policies.to_load(ref.account))
        except Gone:
            return Fate(what="drop", why="the ticket is gone")
        except (NotAllowed, Unreadable):
            return SEND
        except HelpdeskError:
            self._silent.add(ref.account)
            return SEND
        now = self._clock.now()
        ticket = replace(ticket, read_at=ticket.read_at or now)
        ticket = complete(self._store, ticket, ours, rules.policies.needs, now)
        waits = waiting_levels(rules.policies, ref.account, directory.names)
        plan = rules.judge(ticket, remembered, directory.directory, now, waits=waits)
        return ended_since(kept, plan.standings, plan.ended) or SEND


def by_rules(kept: KeptNotice, policies: PolicySet) -> Fate | None:
    """Dropped where its policy is gone or only observes by now."""
    policy = next((each for each in policies.policies if each.name == kept.notice.policy), None)
    if policy is None:
        return Fate(what="drop", why="its policy was removed")
    if policies.mode(policy, kept.notice.ref.account) == "observe":
        return Fate(what="drop", why="its policy only observes now")
    return None


def by_memory(
    kept: KeptNotice, remembered: Iterable[Standing], past: Iterable[Episode], now: Instant
) -> Fate:
    """By the episodes as they are remembered, and by how far the level has come."""
    if ended := ended_since(kept, remembered, past):
        return ended
    left = running(kept, remembered)
    if until := snoozed_until(left, now):
        return Fate(what="wait", until=until)
    episode = next((each for each in left if each.policy == kept.notice.policy), None)
    if episode is None:
        return SEND  # it goes on for another policy that asked for the same
    level, age = kept.notice.level, now - kept.planned_at
    how = next((each.how for each in episode.passed if each.level == level), None)
    if how in CARRIED_OUT or episode.awaiting == level:  # what waits for approval has asked, and not fired
        return SEND
    if how is not None:
        return Fate(what="drop", why=f"its level was {how} meanwhile")
    if episode.under_way is not None and episode.under_way.level == level:
        return SEND if age >= UNDER_WAY else Fate(what="wait", until=kept.planned_at + UNDER_WAY)
    if age >= NEVER_FIRED:
        return Fate(what="drop", why="its level has not fired")
    return Fate(what="wait", until=now + UNDER_WAY)


def ended_since(kept: KeptNotice, remembered: Iterable[Standing], past: Iterable[Episode]) -> Fate | None:
    """Dropped where every episode that asked for it has ended, or was acknowledged since."""
    left = running(kept, remembered)
    if not left:
        reasons = [each.reason for each in past if each.key in kept.notice.episodes and each.ended]
        return Fate(what="drop", why=": ".join(["its episode has ended", *filter(None, reasons[:1])]))
    if all(each.acknowledged is not None and each.acknowledged >= kept.planned_at for each in left):
        return Fate(what="drop", why=f"acknowledged by {left[0].acknowledged_by or 'somebody'}")
    return None


def snoozed_until(episodes: Iterable[Episode], now: Instant) -> Instant | None:
    """When the first of them may speak again; None where one may now."""
    ends = [each.snoozed_until or now for each in episodes]
    return min(ends) if min(ends) > now else None


def running(kept: KeptNotice, remembered: Iterable[Standing]) -> list[Episode]:
    """The episodes that asked for it and have not ended."""
    lives = (each.running for each in remembered)
    return [each for each in lives if each is not None and each.key in kept.notice.episodes]
