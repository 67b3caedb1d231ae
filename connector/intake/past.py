"""Fetching past tickets into an archive: the lists first, then one ticket after the other, as back-fill. What was
fetched is kept at once, so that a pull that was cut short goes on where it stopped."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from adapters.base import (
    AccessLost,
    Gone,
    HelpdeskError,
    Page,
    TryLater,
)
from connector.clock import Clock
from connector.intake.polling import PAGE_LIMIT
from connector.render import Step, many
from connector.store import accounts, fleet
from connector.store.archive import Archive, Counted, Head
from connector.store.database import UNFORESEEN, Store
from connector.work.budget import BACKFILL_PART, Budget, Desk
from connector.work.hindsight import remembered
from policies.language.policy import PolicySet
from policies.model import FROM_HELPDESK, Directory, Instant, Seconds, Ticket, TicketRef, spell
from policies.past import questions, silenced, spelling

CHANGED, OPEN = "changed", "open"
SAMPLE = 5
"""So many tickets are fetched before it is said how long the rest will take."""

ACCOUNT = "account"
"""The bucket that every request comes out of."""

PATIENCE = 50
"""How often in a row one request may be put off."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What is ahead: tickets that are owed, requests for all of them, and seconds within our share, None where the
    helpdesk has not told its limits."""

    tickets: int
    requests: int
    seconds: Seconds | None


def head_of(policies: PolicySet, begin: Instant, end: Instant, now: Instant, words_until: Instant) -> Head:
    """What a new archive says of itself."""
    return Head(
        made=now,
        begin=begin,
        end=end,
        words_until=words_until,
        asked=tuple(sorted(questions(policies))),
        packs={name: spelling(pack) for name, pack in sorted(policies.packs.items())},
    )


class Pull:
    """One account's part of a pull. `told` hears how far it is, `share` is the account's budget."""

    def __init__(
        self,
        *,
        archive: Archive,
        store: Store,
        desk: Desk,
        share: float,
        policies: PolicySet,
        clock: Clock,
        told: Callable[[str], object],
    ) -> None:
        self._archive = archive
        self._store = store
        self._desk = desk
        self._share = share
        self._asked = questions(policies)
        self._packs = tuple(policies.packs.values())
        self._clock = clock
        self._told = told
        self._said = archive.said()
        self.requests = 0

    def run(self) -> Counted:
        """Fetch what is owed. Raises AccessLost and, after long patience, TryLater: the same call goes on later."""
        name = self._desk.name
        with Budget.lane("backfill"), Budget.sent_for("archive"):
            try:
                self._archive.keep_people(self._patiently(self._directory))
                self._list(
                    CHANGED, partial(self._desk.adapter.poll, since=self._said.begin, limit=PAGE_LIMIT)
                )
                self._list(OPEN, self._desk.adapter.census)
                self._fetch_all()
            finally:
                self._count()
        return self._archive.counted(name)

    def _directory(self) -> Directory:
        """As the database holds it, with its joined facts; read anew where it does not."""
        with self._store.reading() as connection:
            known = accounts.read_directory(connection, self._desk.name)
        read = self._desk.adapter.directory()  # the adapter needs it too, to tell who is an agent
        return read if known is None else known.directory

    def _list(self, feed: str, ask: Callable[[str | None], Page]) -> None:
        """Read one list to its end, from where it was left."""
        cursor, ended = self._archive.place(self._desk.name, feed)
        pages = 0
        while not ended:
            page = self._patiently(partial(ask, cursor))
            pages += 1
            ended = not page.more or page.cursor == cursor
            meant = [each for each in page.tickets if not self._is_later(each)]
            refs = [each.ref for each in meant]
            refs += [TicketRef(self._desk.name, each.id) for each in page.aside if each.id]
            self._archive.keep_page(self._desk.name, feed, refs, page.cursor, ended)
            for each in meant:
                if each.gone is not None:  # which needs no request to be known
                    self._archive.lose(each.ref, f"gone: it is {each.gone}")
            for remark in page.remarks:
                self._told(f"{self._desk.name}: {remark}")
            cursor = page.cursor
        if pages:
            owed = self._archive.counted(self._desk.name).owed
            self._told(
                f"{self._desk.name}: {feed} tickets are listed, in {many(pages, 'page')}; {owed} to fetch"
            )

    def _is_later(self, row: Ticket) -> bool:
        """Whether the ticket came in after the period."""
        return "created" not in row.hidden and row.created >= self._said.end

    def _fetch_all(self) -> None:
        fetched, began, sent = 0, self._clock.monotonic(), self._spent()
        whole = self._archive.counted(self._desk.name).owed
        while refs := self._archive.owed(self._desk.name):
            for ref in refs:
                self._fetch(ref)
                fetched += 1
                if fetched == min(SAMPLE, whole):
                    self._tell(self.estimate(whole - fetched, (self._spent() - sent) / fetched))
                took = self._clock.monotonic() - began
                left = (int(took / fetched * (whole - fetched) / 60) + 1) * 60
                said = f"{self._desk.name}: {fetched} of {many(whole, 'ticket')}, about {spell(left)} to go"
                self._told(Step(said, fetched, whole))

    def _fetch(self, ref: TicketRef) -> None:
        """One ticket, kept at once."""
        try:
            read = self._patiently(partial(self._desk.adapter.load, ref, FROM_HELPDESK))
            if self._is_later(read):
                self._archive.leave_out(ref)
                return
            ticket, unknown = remembered(self._store, self._desk, read, self._clock.now())
            bare = silenced(ticket, self._asked, self._packs)
        except (AccessLost, TryLater):
            raise
        except Gone as error:
            self._archive.lose(ref, f"gone: {error}")
        except HelpdeskError as error:
            self._archive.lose(ref, f"not told: {error}")
        except UNFORESEEN as error:
            self._archive.lose(ref, f"not understood: {type(error).__name__}: {error}"[:500])
        else:
            words = ticket if self._said.words_until else None
            self._archive.keep(ref, facts=bare, unknown=unknown, words=words)

    def estimate(self, left: int, each: float) -> Estimate:
        """What so many tickets cost, at so many requests each."""
        requests = int(left * each + 0.5)
        rates = [
            max(1, each.total * self._share) * BACKFILL_PART / each.window
            for each in self._desk.budget.told()
            if each.bucket == ACCOUNT and each.total > 0 and each.window > 0
        ]
        return Estimate(
            tickets=left, requests=requests, seconds=int(requests / min(rates)) if rates else None
        )

    def _tell(self, ahead: Estimate) -> None:
        minutes = None if ahead.seconds is None else ahead.seconds // 60 + 1
        took = "" if minutes is None else f", about {spell(minutes * 60)} within our share"
        self._told(
            f"{self._desk.name}: {many(ahead.tickets, 'more ticket')}, about {many(ahead.requests, 'request')}{took}. "
            "It can be stopped at any time; the same command goes on"
        )

    def _patiently(self, call: Callable[[], T]) -> T:
        """The answer, however long the helpdesk or our share of it lets us wait."""
        for _ in range(PATIENCE):
            try:
                return call()
            except TryLater as error:
                self._clock.sleep(max(1, error.wait))
        return call()

    def _spent(self) -> int:
        self._count()
        return self.requests

    def _count(self) -> None:
        """Note where the requests went, for `uptier budget`."""
        with self._store.writing() as connection:
            for (hour, purpose), many in self._desk.budget.take_sent().items():
                fleet.count_sent(connection, self._desk.name, hour, purpose, many)
                self.requests += many
