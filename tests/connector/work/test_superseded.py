"""A process that was paused while another took its ticket over does nothing more to it (on PostgreSQL, where there
are others). The pause is played by a thread that waits; the other process by a second service."""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connector.app.service import Service
from connector.demo import CONFIG
from connector.store import holds, inbox, writes
from connector.store.standings import standings_of
from connector.work.retry import FIND_OUT
from tests.connector.beside import composed
from tests.connector.each import EACH, Each, each
from tests.patience import PATIENCE
from tests.postgres import database

LAST = {"zendesk": 1, "freshdesk": 2, "servicenow": 2}
"""Which request of the first write changes something; where there are two, the first reads the ticket again."""


@dataclass
class Pair:
    """One helpdesk and two processes beside it: `here`, which will be paused, and `there`."""

    here: Each
    there: Service

    def worker(self) -> Any:
        return self.here.service.parts.worker

    def adapter(self) -> Any:
        """The paused one's way to the helpdesk."""
        return self.here.service.parts.desks[self.here.ref().account].adapter

    def take_over(self) -> None:
        """The other process looks, as often as something is due."""
        for _ in range(3):
            self.there.parts.worker.work(self.here.ref())
            self.here.clock.advance(3)


@contextmanager
def pair(vendor: str, folder: Path) -> Iterator[Pair]:
    """A ticket whose first level is due, and that both know."""
    with database() as url:
        config = CONFIG.replace("sqlite:///uptier.db", url)
        assert url in config
        with each(vendor, folder, config=config) as here:
            here.opened("one")
            here.round()
            here.clock.advance(31 * 60)
            with composed(folder / "uptier.toml", here.clock, here.desk.secrets()) as there:
                yield Pair(here=here, there=there)


@contextmanager
def paused_at(owner: Any, name: str, work: Callable[[], object], call: int = 1) -> Iterator[None]:
    """`work` goes on in a thread until it calls `owner.name` for so many times; inside the block it stands there,
    after it it ends."""
    reached, go_on = threading.Event(), threading.Event()
    original, calls = getattr(owner, name), itertools.count(1)

    def stops(*args: Any, **kwargs: Any) -> Any:
        if next(calls) != call:
            return original(*args, **kwargs)
        reached.set()
        assert go_on.wait(PATIENCE)
        return original(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, stops)
        thread = threading.Thread(target=work)
        thread.start()
        assert reached.wait(PATIENCE)
        patch.undo()
        try:
            yield
        finally:
            go_on.set()
            thread.join(PATIENCE)
            assert not thread.is_alive()


def once_only(here: Each) -> None:
    """What the helpdesk shows after one escalation, whoever did it."""
    shown = here.show()
    assert (shown.group, shown.notes) == ("Tier 2", 1)


@pytest.mark.parametrize("vendor", EACH)
def test_paused_while_reading_the_ticket(vendor: str, tmp_path: Path) -> None:
    with pair(vendor, tmp_path) as both:
        worker = both.worker()
        with paused_at(both.adapter(), "load", lambda: worker.work(both.here.ref())):
            both.take_over()
            before = both.here.applied()
            kept = remembered(both)
        once_only(both.here)
        assert both.here.applied() == before
        assert remembered(both) == kept, "its look is not stored, and its timer neither"


@pytest.mark.parametrize("vendor", EACH)
def test_paused_between_the_decision_and_the_first_write(vendor: str, tmp_path: Path) -> None:
    with pair(vendor, tmp_path) as both:
        worker = both.worker()
        with paused_at(writes, "begin", lambda: worker.work(both.here.ref())):
            both.take_over()
            before = both.here.applied()
        once_only(both.here)
        assert both.here.applied() == before


@pytest.mark.parametrize("vendor", EACH)
def test_paused_before_a_write_that_the_other_has_planned_anew(vendor: str, tmp_path: Path) -> None:
    """The row stands under the same key and is planned, but it is the other's."""
    with pair(vendor, tmp_path) as both:
        worker, there = both.worker(), both.there.parts.worker
        with paused_at(writes, "begin", lambda: worker.work(both.here.ref())):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(writes, "begin", lambda *_: None)  # it dies here
                there.work(both.here.ref())
            before = len(both.here.log())
        assert len(both.here.log()) == before == 0
        both.take_over()
        once_only(both.here)


@pytest.mark.parametrize("vendor", EACH)
def test_paused_when_the_request_is_about_to_leave(vendor: str, tmp_path: Path) -> None:
    """It is marked as under way already; the other finds that it is not there and sends it under the next attempt."""
    with pair(vendor, tmp_path) as both:
        worker = both.worker()
        with paused_at(writes, "is_under_way", lambda: worker.work(both.here.ref()), LAST[vendor]):
            both.here.clock.advance(FIND_OUT + 1)
            both.take_over()
            before = len(both.here.log())
            kept = remembered(both)
        once_only(both.here)
        assert len(both.here.log()) == before
        assert remembered(both) == kept


def test_paused_in_the_middle_of_a_chain(tmp_path: Path) -> None:
    """Freshdesk takes two requests for one level; the second has its own fence."""
    with pair("freshdesk", tmp_path) as both:
        worker = both.worker()
        adapter = both.adapter()
        send, calls = adapter.send, []

        def second_stops(write: Any, revision: str, **_fresh: Any) -> Any:
            calls.append(write.key)
            return adapter.second(write, revision) if len(calls) == 2 else send(write, revision)

        adapter.second = send
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(adapter, "send", second_stops)
            with paused_at(adapter, "second", lambda: worker.work(both.here.ref())):
                both.here.clock.advance(FIND_OUT + 1)
                both.take_over()
        assert len(calls) == 2
        once_only(both.here)


def test_a_delay_of_the_paused_one_does_not_put_the_others_deadline_off(tmp_path: Path) -> None:
    with pair("zendesk", tmp_path) as both:
        worker = both.worker()

        def later(*_args: Any) -> Any:
            from adapters.base import TryLater

            raise TryLater("the helpdesk is slow", 900)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(both.adapter(), "load", later)
            with paused_at(both.adapter(), "load", lambda: worker.work(both.here.ref())):
                both.take_over()
                kept = remembered(both)
        assert remembered(both) == kept


def remembered(both: Pair) -> tuple[Any, ...]:
    """What the database knows of the ticket: its memory, its timer, its hold."""
    ref = both.here.ref()
    with both.there.parts.store.reading() as connection:
        return (
            standings_of(connection, ref),
            inbox.timer_of(connection, ref),
            holds.of_ticket(connection, ref),
        )
