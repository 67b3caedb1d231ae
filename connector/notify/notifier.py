"""Sends what waits, one channel apart from the other and all apart from the helpdesk's writes; what a digest says.

A notice is kept in the transaction of its plan and sent after it, at least once: an attempt is counted before it
leaves, so that a process killed between sending and noting it repeats the message once.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog
from sqlalchemy import Connection

from connector.app.supervision import Ailments
from connector.clock import Clock
from connector.notify.eligibility import Recheck
from connector.notify.sender import NotSent, Speaker
from connector.store import ledger, notices
from connector.store.database import Store
from connector.store.ledger import LedgerEntry
from connector.store.notices import KeptNotice, State
from connector.work.context import Rules
from connector.work.links import Links
from connector.work.retry import NOTICE
from policies.language.policy import ChannelSpec
from policies.model import Instant, Seconds
from policies.rules.calendars import opening

log = structlog.get_logger()


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


def line_about(kept: KeptNotice, what: str, text: str, together: int, now: Instant) -> LedgerEntry:
    """The ledger's line for a notice that ended so; `together` is how many ended with it."""
    notice = kept.notice
    beside = f"in one message with {together - 1} others" if what == "notified" and together > 1 else ""
    return LedgerEntry(
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


DEAD_AFTER = 2
"""After so many failures in one round it is the channel, not the message; the others are not tried in it."""

ASK_AGAIN: Seconds = 3600
"""How long a calendar's opening is believed: a reload may change it."""


class Notifier:
    """Delivers notices: `tick` once a second, or `deliver` in the caller's thread."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        rules: Callable[[], Rules],
        recheck: Callable[[], Recheck],
        speaker: Speaker,
        ailments: Ailments,
        links: Links | None = None,
    ) -> None:
        self._links = links
        self._ailments = ailments
        self._store = store
        self._clock = clock
        self._rules = rules
        self._recheck = recheck
        self._busy: dict[str, threading.Lock] = {}
        self._stopping = threading.Event()
        self.speaker = speaker

    def tick(self) -> None:
        """Begin a round on every channel that has something due; a slow one keeps only itself waiting."""
        for channel in self._due():
            threading.Thread(
                target=self._round, args=(channel,), name=f"notify {channel}", daemon=True
            ).start()

    def deliver(self) -> None:
        """One round on every channel that has something due."""
        for channel in self._due():
            self._round(channel)

    def stop(self, timeout: float) -> bool:
        """Begin no other message, and wait for those under way. False if `timeout` was too short; they may be
        repeated after the next start."""
        self._stopping.set()
        return all(lock.acquire(timeout=max(timeout, 0)) for lock in tuple(self._busy.values()))

    def _due(self) -> tuple[str, ...]:
        with self._store.reading() as connection:
            return notices.due_channels(connection, self._clock.now())

    def _round(self, channel: str) -> None:
        lock = self._busy.setdefault(channel, threading.Lock())
        if not lock.acquire(blocking=False):
            return
        try:  # no channel may take the others down with it
            if not self._ailments.attempt(f"notify {channel}", lambda: self._see_to(channel)):
                self._ailments.attempt(f"hold back {channel}", lambda: self._hold_back(channel))
        finally:
            lock.release()

    def _see_to(self, channel: str) -> None:
        rules, now = self._rules(), self._clock.now()
        spec = rules.policies.channels.get(channel)
        with self._store.reading() as connection:
            due = notices.due(connection, channel, now)
        if spec is None:
            self._drop(due, "the channel was removed from the config")
        elif opening := opens(spec, rules, now):
            with self._store.writing() as connection:
                notices.put_off(connection, due, min(opening, now + ASK_AGAIN))
        else:
            self._send(spec, due)

    def _hold_back(self, channel: str) -> None:
        now = self._clock.now()
        with self._store.writing() as connection:
            notices.put_off(
                connection, notices.due(connection, channel, now), now + NOTICE.after(1), since=now
            )

    def _send(self, spec: ChannelSpec, due: Sequence[KeptNotice]) -> None:
        together = tuple(each for each in due if each.gathered)
        parcels = [*([together] if together else []), *((each,) for each in due if not each.gathered)]
        recheck, failures = self._recheck(), 0
        while parcels and not self._stopping.is_set():
            if until := self._full_until(spec):
                with self._store.writing() as connection:
                    rest = [each for parcel in parcels for each in parcel]
                    notices.put_off(connection, rest, until, gathered=True)
                return
            if failures == DEAD_AFTER:
                self._fail([each for parcel in parcels for each in parcel], "it did not take others")
                return
            failures += not self._deliver(spec, parcels.pop(0), recheck)

    def _full_until(self, spec: ChannelSpec) -> Instant | None:
        """When the channel may hear the next message, if it has heard enough for now."""
        if not spec.digest_above:
            return None
        with self._store.reading() as connection:
            now = self._clock.now()
            heard = notices.messages_since(connection, spec.name, now - spec.digest_within, now)
        if len(heard) < spec.digest_above:
            return None
        return heard[-spec.digest_above] + spec.digest_within

    def _deliver(self, spec: ChannelSpec, parcel: Sequence[KeptNotice], recheck: Recheck) -> bool:
        """Send these as one message, as far as they are still to be sent. False if the channel did not take it."""
        ready = []
        for each in parcel:
            fate = recheck(each)
            if fate.what == "drop":
                self._drop([each], fate.why)
            elif fate.what == "wait":
                with self._store.writing() as connection:
                    notices.put_off(connection, [each], fate.until)
            else:
                ready.append(each)
        with self._store.writing() as connection:
            begun = self._begin(connection, ready) if ready else ()
        if not begun:
            return True
        title, body = gathered(self._with_links(begun))
        try:
            self.speaker(spec.name, title, body)
        except NotSent as error:
            self._failed(begun, str(error))
            return False
        self._settle(begun, State.SENT, "notified", "")
        return True

    def _with_links(self, begun: Sequence[KeptNotice]) -> Sequence[KeptNotice]:
        """With the words of their links, which nothing but the message ever holds."""
        if self._links is None:
            return begun
        with self._store.reading() as connection:
            bodies = [self._links.filled(connection, each.notice) for each in begun]
        return [
            replace(each, notice=replace(each.notice, body=body))
            for each, body in zip(begun, bodies, strict=True)
        ]

    def _begin(self, connection: Connection, ready: Sequence[KeptNotice]) -> tuple[KeptNotice, ...]:
        wait = max(NOTICE.after(each.attempt + 1) for each in ready)
        now = self._clock.now()
        return notices.begin(connection, ready, now + wait, now)

    def _fail(self, kept: Sequence[KeptNotice], why: str) -> None:
        """As if they had been tried."""
        with self._store.writing() as connection:
            begun = self._begin(connection, kept)
        self._failed(begun, why)

    def _failed(self, begun: Sequence[KeptNotice], why: str) -> None:
        now = self._clock.now()
        again = [each for each in begun if each.attempt < NOTICE.tries]
        with self._store.writing() as connection:
            for each in again:
                notices.put_off(connection, [each], now + NOTICE.after(each.attempt), error=why, since=now)
        if again:
            log.warning("notify_put_off", channel=again[0].notice.channel, reason=why, many=len(again))
        if over := [each for each in begun if each.attempt >= NOTICE.tries]:
            channel = over[0].notice.channel
            self._settle(
                over, State.GIVEN_UP, "notification failed", f"given up after {NOTICE.tries} tries: {why}"
            )
            log.error(
                "notification_failed",
                channel=channel,
                tickets=[str(each.notice.ref) for each in over[:20]],
                reason=why,
                next=f"uptier notify test {channel}",
            )

    def _drop(self, kept: Sequence[KeptNotice], why: str) -> None:
        self._settle(kept, State.DROPPED, "not notified", why)

    def _settle(self, kept: Sequence[KeptNotice], state: State, what: str, text: str) -> None:
        now = self._clock.now()
        keys = [each.notice.key for each in kept]
        lines = [line_about(each, what, text, len(kept), now) for each in kept]
        with self._store.writing() as connection:
            message = keys[0] if state == State.SENT else None
            notices.settle_notices(connection, keys, state, now, message=message, error=text or None)
            ledger.append(connection, lines)
        for each in kept:
            ref, channel = str(each.notice.ref), each.notice.channel
            log.info("notice", ticket=ref, channel=channel, state=str(state), text=text)


def opens(spec: ChannelSpec, rules: Rules, now: Instant) -> Instant | None:
    """When the channel's hours begin; None while they last, or where it has none."""
    calendar = rules.calendars.get(spec.quiet or "")
    if calendar is None or calendar.is_open(now):
        return None
    return opening(calendar, now)
