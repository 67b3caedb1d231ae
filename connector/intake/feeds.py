"""What is read from each account on a schedule: its directory, its changes, its open tickets."""

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial

import structlog
from sqlalchemy import Connection

from adapters.base import AccessLost, HelpdeskError, NotAllowed
from connector.app.leases import Leaseholder, poll_lease
from connector.app.supervision import PROVEN_AFTER, Ailments
from connector.clock import Clock
from connector.config.secrets import SecretError
from connector.engine import Engine
from connector.intake.polling import Listing, census_due, poll_account, take_census, wake_for_absent
from connector.store import accounts, holds, inbox
from connector.store.database import BrokenRow, Store, advisory_lock
from connector.store.episodes import running_for
from connector.store.inbox import Arrival
from connector.store.tickets import SettledTicket
from connector.store.trouble import StoreTrouble
from connector.work import retry
from connector.work.budget import Desk, NoRoom, Purpose
from connector.work.context import Read, Rules
from connector.work.worker import Worker
from policies.evaluate import Kept, could_matter, likely_due, may_have_moved
from policies.language.references import KnownAccount
from policies.model import Instant, Seconds, Ticket
from policies.rules.assignment import Waiting, waiting_levels
from policies.state import Standing

log = structlog.get_logger()


DIRECTORY_EVERY: Seconds = 3600

LASTS = 3
"""After so many poll intervals without an answer a feed is said to be unread."""

DIRECTORY = "directory"
SENT_FOR: Mapping[str, Purpose] = {
    DIRECTORY: "directory",
    "changes": "changes",
    holds.OPEN_TICKETS: "open tickets",
}
UNREAD = "unread"
"""Added to a feed's name where it does not answer; without it the feed is refused to us."""

SILENT = "webhook silent"
"""What is set aside of an account of which polling finds changes that no webhook told of."""

UNHEARD = "unheard"
"""The cursor of such changes: when the first and the newest were found, and how many they are."""

UNHEARD_MANY = 5
UNHEARD_OVER: Seconds = 1800
"""So many changes over so long that no webhook came with are more than chance."""

HEARD_BEFORE: Seconds = 300
"""A webhook that came so shortly before a poll may have told of what the poll found."""

LEVEL = "level "
"""How the kind of a level that is set aside begins."""


def unheard(connection: Connection, account: str) -> tuple[Instant, Instant, int] | None:
    """When the first and the newest change was found that no webhook told of since one came, and how many."""
    said = accounts.read_cursor(connection, account, UNHEARD)
    if said is None:
        return None
    first, newest, many = map(int, said.split())
    return first, newest, many


class Feeds:
    """Reads feeds. What fails is logged, and tried again when it is due the next time."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        engine: Engine,
        worker: Worker,
        rules: Callable[[], Rules],
        read: Read,
        leases: Leaseholder,
        ailments: Ailments,
        with_webhook: frozenset[str] = frozenset(),
    ) -> None:
        self._with_webhook = with_webhook
        self._ailments = ailments
        self._store = store
        self._clock = clock
        self._engine = engine
        self._worker = worker
        self._rules = rules
        self._read = read
        self._leases = leases
        self._failing: dict[tuple[str, str], Instant] = {}
        self._under_way: dict[tuple[str, str], threading.Lock] = {}

    def greet(self, desk: Desk) -> None:
        """Say at start what the helpdesk thinks of our access; what fails is said and holds nothing up. Nobody has
        taken webhooks until now, so that none came means nothing."""
        with suppress(StoreTrouble), self._store.writing() as connection:
            if holds.aside_of(connection, desk.name, "", SILENT) is None:
                accounts.forget_cursor(connection, desk.name, UNHEARD)
        with suppress(HelpdeskError):
            for finding in self._read(desk.adapter.probe):
                if not finding.ok:
                    log.warning("finding", account=desk.name, what=finding.what, text=finding.text)

    def follow(self, desk: Desk) -> bool:
        """Read the directory if it is old, and what changed. False if that failed."""
        calls: dict[str, Callable[[Desk], None]] = {
            DIRECTORY: self._directory,
            "names": self._names,
            "changes": self._poll,
            "absences": self._absences,
        }
        return self._visit(desk, "follow", calls)

    def list_open(self, desk: Desk) -> bool:
        """List the open tickets if that is due. False if that failed."""
        return self._visit(desk, "list", {holds.OPEN_TICKETS: self._census})

    def _visit(self, desk: Desk, what: str, calls: Mapping[str, Callable[[Desk], None]]) -> bool:
        """One errand at an account; what fails of it keeps the rest of it from nothing. While the same one is still
        under way there, it is left to that; and where another process reads this account's feeds, to that one."""
        if not self._leases.has(poll_lease(desk.name)):
            return True
        lock = self._under_way.setdefault((desk.name, what), threading.Lock())
        if not lock.acquire(blocking=False):
            return True
        try:
            with desk.budget.lane("backfill"):
                if self._paused(desk) and not self._resume(desk):
                    return False
                read = [self._read_feed(desk, feed, call) for feed, call in calls.items()]
                return all(read)
        except AccessLost as lost:
            self._worker.pause(desk.name, str(lost))
            return False
        except HelpdeskError as trouble:
            log.warning("visit_failed", account=desk.name, errand=what, reason=str(trouble))
            return False
        except StoreTrouble as trouble:
            self._ailments.found(f"visit {desk.name}", trouble, passes=PROVEN_AFTER)
            return False
        finally:
            lock.release()

    def _read_feed(self, desk: Desk, feed: str, call: Callable[[Desk], None]) -> bool:
        """One feed of an errand. What goes wrong with it is its own, and the next is read, unless the helpdesk refuses
        us altogether: its probe decides. Raises AccessLost then, and SecretError."""
        if self._rests(desk, feed):
            return False
        try:
            with desk.budget.sent_for(SENT_FOR.get(feed, "other")):
                call(desk)
        except (NotAllowed, AccessLost) as refused:
            self._refused(desk, feed, refused)
        except (HelpdeskError, BrokenRow) as trouble:
            self._failed(desk, feed, trouble)
        except StoreTrouble as trouble:
            self._ailments.found(f"{feed} of {desk.name}", trouble, passes=PROVEN_AFTER)
        except SecretError:
            raise
        except Exception as error:  # the edge of an errand: none may take the next ones down with it
            if (desk.name, feed) not in self._failing:
                log.exception("visit_failed", account=desk.name, errand=feed)
            self._unread(desk, feed, f"{type(error).__name__}: {error}")
        else:
            self._well(desk, feed)
            return True
        return False

    def _rests(self, desk: Desk, feed: str) -> bool:
        """Whether a feed that was refused is not to be asked for yet."""
        with self._store.reading() as connection:
            apart = holds.aside_of(connection, desk.name, "", feed)
            known = feed != DIRECTORY or accounts.read_directory(connection, desk.name) is not None
        if apart is None:
            return False
        pause = apart.next_try - apart.tried_at
        return self._clock.now() < apart.tried_at + (pause if known else min(pause, retry.UNKNOWN_DIRECTORY))

    def _refused(self, desk: Desk, feed: str, refused: HelpdeskError) -> None:
        """Refused to us: the feed alone, if the probe says that our credentials are good."""
        try:
            lost = [each for each in self._read(desk.adapter.probe) if each.fatal and not each.ok]
        except AccessLost:
            raise
        except HelpdeskError as trouble:
            self._failed(desk, feed, trouble)
            return
        if lost:
            raise AccessLost(f"{refused}; {lost[0].text}")
        right = refused.right if isinstance(refused, NotAllowed) else ""
        self._set_aside(desk, feed, f"{refused}. Missing: {right}" if right else str(refused))

    def _failed(self, desk: Desk, feed: str, trouble: Exception) -> None:
        """No answer, or none that can be read. It is asked for again when it is due; what lasts is said. A directory,
        which takes many requests, waits longer after each failure."""
        log.warning("visit_failed", account=desk.name, errand=feed, reason=str(trouble))
        since = self._failing.setdefault((desk.name, feed), self._clock.now())
        if feed == DIRECTORY and not isinstance(trouble, NoRoom):
            self._set_aside(desk, feed, str(trouble))
        elif self._clock.now() - since >= LASTS * desk.poll:
            self._unread(desk, feed, str(trouble))

    def _unread(self, desk: Desk, feed: str, why: str) -> None:
        self._failing.setdefault((desk.name, feed), self._clock.now())
        self._set_aside(desk, f"{feed} {UNREAD}", why)

    def _set_aside(self, desk: Desk, kind: str, why: str) -> None:
        with self._store.writing() as connection:
            new = holds.set_aside(connection, desk.name, "", kind, why, self._clock.now())
        tell = log.warning if new else log.info
        tell("set_aside", account=desk.name, feed=kind, reason=why, next="uptier doctor")

    def _well(self, desk: Desk, feed: str) -> None:
        self._failing.pop((desk.name, feed), None)
        kinds = (feed, f"{feed} {UNREAD}")
        with self._store.reading() as connection:
            apart = [kind for kind in kinds if holds.aside_of(connection, desk.name, "", kind) is not None]
        if apart:
            with self._store.writing() as connection:
                for kind in apart:
                    holds.clear_aside(connection, desk.name, "", kind, self._clock.now())
            log.info("no_longer_aside", account=desk.name, feed=feed)

    def _paused(self, desk: Desk) -> bool:
        with self._store.reading() as connection:
            known = accounts.get(connection, desk.name)
        return known is not None and known.paused_at is not None

    def _resume(self, desk: Desk) -> bool:
        """Whether the credentials work again; then the account is worked on from where it was left."""
        findings = self._read(desk.adapter.probe)
        if any(finding.fatal and not finding.ok for finding in findings):
            return False
        with self._store.writing() as connection:
            accounts.resume(connection, desk.name)
        log.info("account_resumed", account=desk.name)
        return True

    def _directory(self, desk: Desk) -> None:
        now = self._clock.now()
        with self._store.reading() as connection:
            known = accounts.read_directory(connection, desk.name)
        if known is not None and 0 <= now - known.read_at < DIRECTORY_EVERY:
            return
        directory = self._read(desk.adapter.directory)
        policies = self._rules().policies
        before = waiting_levels(policies, desk.name, known.names_at(now) if known else None)
        after = waiting_levels(policies, desk.name, KnownAccount.of(directory))
        with self._store.writing() as connection:
            advisory_lock(connection, f"directory {desk.name}")
            accounts.save_directory(connection, directory, now)
            self._let_go_on(connection, desk, before, after, now)
        log.info(
            "directory_read", account=desk.name, groups=len(directory.groups), people=len(directory.agents)
        )

    def _let_go_on(
        self,
        connection: Connection,
        desk: Desk,
        before: Iterable[Waiting],
        after: Iterable[Waiting],
        now: Instant,
    ) -> None:
        """Wake the tickets on which a level waited for a name that is known by now."""
        still = {(each.policy, each.level) for each in after}
        freed = {each.policy for each in before if (each.policy, each.level) not in still}
        refs = running_for(connection, desk.name, freed) if freed else ()
        news = [
            Arrival(
                account=ref.account,
                ticket=ref.id,
                delivery=f"names:{now}:{ref.id}",
                kind="timer",
                received_at=now,
            )
            for ref in refs
        ]
        self._engine.wake(connection, inbox.put_news(connection, news))

    def _names(self, desk: Desk) -> None:
        """Say of each level that waits for a name, once, that it does, and that it no longer does."""
        now = self._clock.now()
        with self._store.reading() as connection:
            known = accounts.read_directory(connection, desk.name)
            said = {
                one.kind: one.why
                for one in holds.every_aside(connection)
                if one.account == desk.name and not one.ticket and one.kind.startswith(LEVEL)
            }
        found = waiting_levels(self._rules().policies, desk.name, known.names_at(now) if known else None)
        waits = {f'{LEVEL}"{each.level}" of policy "{each.policy}"': each.why for each in found}
        if waits == said:
            return
        with self._store.writing() as connection:
            for kind, why in waits.items():
                if said.get(kind) != why and holds.set_aside(connection, desk.name, "", kind, why, now):
                    log.warning("level_waits", account=desk.name, what=kind, reason=why, next="uptier check")
            for kind in said.keys() - waits.keys():
                holds.clear_aside(connection, desk.name, "", kind, now)
                log.info("level_goes_on", account=desk.name, what=kind)

    def _census(self, desk: Desk) -> None:
        now = self._clock.now()
        with self._store.reading() as connection:
            due = census_due(connection, desk.name, now)
        if due:
            take_census(self._listing(desk, now))

    def _poll(self, desk: Desk) -> None:
        now = self._clock.now()
        polled = poll_account(self._listing(desk, now))
        if polled.rows and desk.name in self._with_webhook:
            with self._store.writing() as connection:
                first, _, many = unheard(connection, desk.name) or (now, now, 0)
                value = f"{first} {now} {many + polled.rows}"
                accounts.save_cursor(connection, desk.name, UNHEARD, value, now)

    def listen(self, desk: Desk) -> None:
        """Say once where polling goes on finding changes and no webhook comes, and once that one came again. For a
        process that runs on: between single rounds nobody takes webhooks."""
        now = self._clock.now()
        with self._store.reading() as connection:
            known = unheard(connection, desk.name)
            if known is None or not self._leases.has(poll_lease(desk.name)):
                return
            first, newest, many = known
            if many < UNHEARD_MANY or newest - first < UNHEARD_OVER:
                return
            last = inbox.last_webhook(connection, desk.name)
            apart = holds.aside_of(connection, desk.name, "", SILENT) is not None
        if last is not None and last >= first - HEARD_BEFORE:
            with self._store.writing() as connection:
                accounts.forget_cursor(connection, desk.name, UNHEARD)
                again = holds.clear_aside(connection, desk.name, "", SILENT, now)
            if again:
                log.info("webhook_heard_again", account=desk.name)
        elif not apart:
            why = (
                f"polling has found {many} changes in {(newest - first) // 60} minutes and no webhook told of one. Is "
                "it still on at the helpdesk, and does its address still lead here? Changes are found a minute later "
                "meanwhile"
            )
            with self._store.writing() as connection:
                holds.set_aside(connection, desk.name, "", SILENT, why, now)
            log.warning(
                "webhook_silent",
                account=desk.name,
                changes=many,
                last=last,
                next=f"uptier connect {desk.name}",
            )

    def _listing(self, desk: Desk, now: Instant) -> Listing:
        return Listing(
            store=self._store,
            account=desk.name,
            adapter=desk.adapter,
            engine=self._engine,
            now=now,
            read=self._read,
            could_matter=self._could_matter,
            likely_due=partial(likely_due, policies=self._rules().policies),
            moved=self._moved,
            ours=lambda connection: self._leases.still(connection, poll_lease(desk.name)),
        )

    def _absences(self, desk: Desk) -> None:
        wake_for_absent(self._store, desk.name, self._engine, self._rules(), self._clock.now())

    def _could_matter(self, snapshot: Ticket, standings: tuple[Standing, ...]) -> bool:
        return could_matter(snapshot, self._rules().policies, standings)

    def _moved(self, snapshot: Ticket, before: SettledTicket) -> Kept:
        policies = self._rules().policies
        if before.judged_by != policies.decides:
            return "at the helpdesk"
        return may_have_moved(snapshot, before.ticket, policies)
