"""What several processes share: budgets, pauses, turns of round robin, caps, leases; and what outlives one
process."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.base import Limit, TryLater
from connector.app.compose import roles_named
from connector.app.leases import TERM, OneOfMany
from connector.clock import ManualClock
from connector.demo import CONFIG
from connector.store import fleet
from connector.work.budget import Budget, LastingTally, MemoryTally, SharedTally, tally
from tests.connector.beside import composed
from tests.connector.each import each
from tests.connector.stores import fresh_store
from tests.postgres import database

START = 1_790_000_000
LIMIT = Limit(bucket="account", total=10, remaining=10, window=60)


def test_the_database_decides_who_counts(tmp_path: Path) -> None:
    with fresh_store("sqlite", tmp_path) as file, fresh_store("postgresql", tmp_path) as server:
        clock = ManualClock(START)
        assert isinstance(tally(file, "acme", clock), LastingTally)
        assert isinstance(tally(server, "acme", clock), SharedTally)


def test_two_processes_send_no_more_than_one_share(tmp_path: Path) -> None:
    with fresh_store("postgresql", tmp_path) as store:
        clock = ManualClock(START)
        both = [
            Budget("acme", 1.0, clock, SharedTally(store, "acme", clock), {"deadline": 0, "backfill": 0})
            for _ in range(2)
        ]
        for one in both:
            one.learn((LIMIT,))
        sent = [0, 0]

        def send(which: int) -> None:
            for _ in range(10):
                try:
                    both[which].enter(("account",))
                except TryLater:
                    return
                sent[which] += 1

        threads = [threading.Thread(target=send, args=(which,)) for which in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sum(sent) == 10
        with pytest.raises(TryLater) as refused:
            both[0].enter(("account",))
        assert refused.value.wait == 61
        clock.advance(61)
        both[1].enter(("account",))


def test_counting_by_the_second_waits_as_long_as_counting_each(tmp_path: Path) -> None:
    """The same story told to both tallies."""
    from connector.work.budget import Allowance

    with fresh_store("postgresql", tmp_path) as store:
        clock = ManualClock(START)
        shared, memory = SharedTally(store, "acme", clock), MemoryTally()
        allowances = {"account": Allowance(at_most=3, window=10), "search": Allowance(at_most=2, window=4)}
        for step in (0, 0, 0, 1, 3, 1, 0, 2, 5, 0, 1, 1, 11, 0, 0, 0):
            clock.advance(step)
            now = clock.now()
            both = [one.take(("account", "search"), allowances, now) for one in (shared, memory)]
            assert both[0] == both[1]


def test_a_pause_that_one_process_heard_of_is_obeyed_by_all_at_once(tmp_path: Path) -> None:
    with fresh_store("postgresql", tmp_path) as store:
        clock = ManualClock(START)
        here, there = (
            Budget("acme", 1.0, clock, SharedTally(store, "acme", clock), {"deadline": 0, "backfill": 0})
            for _ in range(2)
        )
        here.hold("account", 90)
        with pytest.raises(TryLater, match="asked for a pause") as refused:
            there.enter(("account", "search"))
        assert refused.value.wait == 91
        there.enter(("search",))
        clock.advance(91)
        there.enter(("account",))


def test_a_pause_outlives_the_process_that_heard_of_it(tmp_path: Path) -> None:
    with fresh_store("sqlite", tmp_path) as store:
        clock = ManualClock(START)
        Budget("acme", 1.0, clock, LastingTally(store, "acme", clock)).hold("account", 90)
        clock.advance(60)
        again = Budget("acme", 1.0, clock, LastingTally(store, "acme", clock), {"deadline": 0, "backfill": 0})
        with pytest.raises(TryLater) as refused:
            again.enter(("account",))
        assert refused.value.wait == 31
        with store.writing() as connection:
            fleet.forget_spending(connection, clock.now())
        assert LastingTally(store, "acme", clock).paused_until(("account",)) == START + 91


def test_a_lease_goes_to_the_next_within_its_term(tmp_path: Path) -> None:
    with fresh_store("postgresql", tmp_path) as store:
        clock = ManualClock(START)
        one, two = (OneOfMany(store, clock, name, ("poll acme", "notify")) for name in ("one", "two"))
        assert one.renew() == {"poll acme", "notify"}
        assert two.renew() == frozenset()
        assert one.has("poll acme")
        assert not two.has("poll acme")
        clock.advance(TERM - 1)
        assert one.renew() == frozenset(), "kept"
        clock.advance(TERM)  # it does not answer any more
        assert not one.has("poll acme")
        assert two.renew() == {"poll acme", "notify"}
        assert one.renew() == frozenset()
        with store.writing() as connection:
            assert two.still(connection, "poll acme")
            assert not one.still(connection, "poll acme")
        two.give_back()
        assert one.renew() == {"poll acme", "notify"}


def test_a_process_takes_only_the_leases_of_its_roles(tmp_path: Path) -> None:
    """A worker that held an account's feed would leave it unread."""
    with (
        database() as url,
        each("zendesk", tmp_path, config=CONFIG.replace("sqlite:///uptier.db", url)) as here,
    ):
        here.service.parts.leases.give_back()
        wanted = {"worker": {"alarm", "notify", "forget"}, "poller": {"poll acme"}, "receiver": set()}
        for role, names in wanted.items():
            with composed(
                tmp_path / "uptier.toml", here.clock, here.desk.secrets(), roles_named(role)
            ) as other:
                assert other.parts.leases.renew() == names
                other.parts.leases.give_back()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_lease_that_cannot_be_renewed_ends(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connector.store.trouble import StoreTrouble

    def gone(*_args: object, **_kwargs: object) -> Callable[[], None]:
        raise StoreTrouble("the server does not answer")

    with fresh_store(kind, tmp_path) as store:
        clock = ManualClock(START)
        one = OneOfMany(store, clock, "one", ("poll acme",))
        one.renew()
        monkeypatch.setattr(store, "writing", gone)
        clock.advance(TERM - 1)
        one.renew()
        assert one.has("poll acme")
        clock.advance(1)
        one.renew()
        assert not one.has("poll acme")
