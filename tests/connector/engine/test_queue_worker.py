"""A lane ends however its worker takes the news."""

import asyncio
from collections.abc import Callable

import pytest
from procrastinate.exceptions import ConnectorException

from connector.app.supervision import Ailments
from connector.engine import fleet as module
from connector.engine.fleet import SupervisedTask


class Worker:
    """Like procrastinate's: `starting` is what it awaits before it may take jobs."""

    worker_name: str | None = "acme:urgent"

    def __init__(self, starting: Callable[[], "asyncio.Future[None]"]) -> None:
        self.worker_id: int | None = None
        self.starting = starting
        self.stopped = asyncio.Event()
        self.finished = False

    async def run(self) -> None:
        self.stopped.clear()
        try:
            await self.starting()
        except asyncio.CancelledError:
            if not self.swallows:
                raise
        self.worker_id = 1
        await self.stopped.wait()
        self.finished = True

    swallows = False

    def stop(self) -> None:
        self.stopped.set()


async def ended(worker: Worker, begun: Callable[[], bool]) -> None:
    lane = SupervisedTask(lambda: worker, Ailments(lambda: 0))
    task = asyncio.create_task(lane.work())
    while not begun():
        await asyncio.sleep(0)
    lane.end()
    await asyncio.wait_for(asyncio.wait([task]), 20)
    assert task.done()


def never() -> "asyncio.Future[None]":
    return asyncio.get_running_loop().create_future()


def at_once() -> "asyncio.Future[None]":
    future = never()
    future.set_result(None)
    return future


def test_a_worker_that_may_have_taken_jobs_is_not_interrupted() -> None:
    async def story() -> None:
        worker = Worker(at_once)
        await ended(worker, lambda: worker.worker_id == 1)
        assert worker.finished

    asyncio.run(story())


@pytest.mark.parametrize("swallows", [False, True])
def test_one_that_still_starts_is_interrupted_and_ends_also_if_that_is_swallowed(swallows: bool) -> None:
    async def story() -> None:
        waits: list[None] = []

        def starting() -> "asyncio.Future[None]":
            waits.append(None)
            return never()

        worker = Worker(starting)
        worker.swallows = swallows
        await ended(worker, lambda: bool(waits))
        assert worker.finished is swallows

    asyncio.run(story())


def test_after_trouble_with_the_database_there_is_another_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_AFTER", 0)

    async def story() -> None:
        def broken() -> "asyncio.Future[None]":
            raise ConnectorException

        workers = [Worker(broken), Worker(at_once)]
        made = iter(workers)
        lane = SupervisedTask(lambda: next(made), Ailments(lambda: 0))
        task = asyncio.create_task(lane.work())
        while workers[1].worker_id is None:
            await asyncio.sleep(0)
        lane.end()
        await asyncio.wait_for(task, 20)
        assert workers[1].finished

    asyncio.run(story())
