"""PostgreSQL dies under a running `uptier run`, or is not there when it starts. Judged by what the helpdesk
was asked,
what the log says, and how the process ends."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg_pool.base import AttemptWithBackoff
from structlog.testing import capture_logs

from connector.clock import SystemClock
from connector.engine import fleet as fleet_engine
from connector.store.opening import open_store
from policies.model import TicketRef
from tests.connector.engine.engines import fleet
from tests.connector.engine.test_engine import arrive
from tests.connector.store.samples import REF
from tests.crash.fleet import DUE_IN, ONE_LEVEL, until
from tests.crash.soak import free_port
from tests.crash.test_flood import webhook
from tests.crash.town import ROOT, Town, town
from tests.patience import until as soon
from tests.postgres import Frail, frail

pytestmark = pytest.mark.xdist_group("frail")  # one server for all of them

DUE_SOON = 8
"""Seconds in which the second ticket comes due: long after it was looked at, and while the database is away."""

FAILS = 10
"""So often at least the job that runs each second has failed before the database comes back."""


@pytest.fixture(scope="module")
def server() -> Iterator[Frail]:
    with frail() as server:
        yield server


@contextmanager
def beside(folder: Path, url: str, port: int) -> Iterator[Town]:
    """A helpdesk, and the config of a service that is to use this database."""
    config = ONE_LEVEL.replace("sqlite:///uptier.db", url)
    with town(folder, "zendesk", config=config, listen=f"127.0.0.1:{port}", export_lag=0) as here:
        for desk in here.desks.values():
            desk.settle()
        yield here


@contextmanager
def uptier(here: Town, *words: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A command in a process of its own, which is ended; what it says is in the file `log`."""
    with (here.config.parent / "log").open("ab") as log:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("uptier"), *words],
            cwd=here.config.parent,
            env=here.environment() | {"PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def said(here: Town) -> str:
    return (here.config.parent / "log").read_text(encoding="utf-8")


def answered(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        line.sendall(request)
        return line.recv(1000).partition(b"\r\n")[0]


def looked_at(url: str) -> bool:
    """Whether a ticket waits for its level."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM timer").fetchone()
    return row is not None and row[0] >= 1


@pytest.mark.timeout(180)
def test_what_comes_due_meanwhile_is_written_once_and_little_is_said(tmp_path: Path, server: Frail) -> None:
    port, url = free_port(), server.database()
    with beside(tmp_path, url, port) as here, uptier(here, "run") as process:
        (desk,) = here.desks.values()
        desk.subscribe(f"http://127.0.0.1:{port}")
        secret = next(value for name, value in desk.secrets().items() if name.endswith("WEBHOOK"))
        until("the first", lambda: here.notes() == [1], 90)
        here.open(1, since=1, overdue=DUE_IN - DUE_SOON)
        due = here.now() + DUE_SOON
        until("the second's look", lambda: desk.desk.hooks.deliver() or looked_at(url), 60)
        before = len(said(here))
        server.dies()
        long_enough = here.now() + FAILS + 2
        assert here.notes() == [1, 0], "this machine was too slow for the story"
        asked = Counter[object]()
        until(
            "what runs every ten seconds",
            lambda: stir(port, secret, asked) or failing(said(here)[before:]) >= {"tick", "sweep"},
            60,
        )
        process.send_signal(signal.SIGHUP)
        until("an answer to the hangup", lambda: "reload_refused" in said(here), 30)
        until("its time", lambda: here.now() > max(due + 1, long_enough), 60)
        away = said(here)[before:]
        server.comes_back()
        until("the second", lambda: here.notes() == [1, 1], 60)
        until("its last word", lambda: times(said(here), "tick") > 0, 60)
        until("both to be logged", lambda: here.applied() >= 2, 60)  # a note shows before its answer has left
        assert here.applied() == 2
        assert process.poll() is None
        process.terminate()
        assert process.wait(30) == 0
    assert asked.keys() == {
        ("webhook", b"HTTP/1.1 503 Service Unavailable"),
        ("ready", 503),
        ("page", 503),
        ("login", 503),
        ("program", 503),
    }
    assert min(asked.values()) >= FAILS, "asked too rarely to prove anything"
    assert times(said(here), "tick") >= FAILS
    assert "Traceback" not in away
    lines = [json.loads(line) for line in away.splitlines()]
    about_it = Counter(
        (
            line["action"],
            line.get("what"),
            line.get("library"),
            str(line.get("reason") or line.get("text"))[:120],
        )
        for line in lines
        if line["level"] in {"error", "warning"} and line["action"] != "lease_lost"
    )
    assert set(about_it.values()) == {1}, about_it
    assert len(away) < 20_000


def stir(port: int, secret: str, asked: Counter[object]) -> None:
    """A helpdesk, somebody at a browser and a program ask now and then."""
    asked["webhook", answered(port, webhook(secret, SystemClock(), sum(asked.values())))] += 1
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
        asked["ready", client.get("/readyz").status_code] += 1
        asked["page", client.get("/", headers={"Cookie": "uptier-session=of-before"}).status_code] += 1
        asked["login", client.post("/login", data={"name": "ann", "password": "x"}).status_code] += 1
        program = client.get("/api/v1/escalations", headers={"Authorization": "Bearer of-before"})
        asked["program", program.status_code] += 1


def failing(text: str) -> set[str]:
    """What has been said to fail."""
    lines = [json.loads(line) for line in text.splitlines()]
    return {str(line["what"]) for line in lines if line["action"] == "failing"}


def times(text: str, job: str) -> int:
    """How often this job had failed when it was said to work again; 0 while it was not."""
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    found = [line["times"] for line in lines if line["action"] == "works_again" and line["what"] == job]
    return int(found[-1]) if found else 0


def test_queues_find_it_at_once_however_long_it_was_away(
    tmp_path: Path, server: Frail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pool of the queue doubles its pauses: as if they had grown to minutes."""
    monkeypatch.setattr(AttemptWithBackoff, "INITIAL_DELAY", 600.0)
    monkeypatch.setattr(fleet_engine, "TRIES_FOR", 1.0)
    monkeypatch.setattr(fleet_engine, "ANSWERS_WITHIN", 1.0)
    seen = list[TicketRef]()
    with capture_logs() as lines, closing(open_store(server.database())) as store:
        engine = fleet(store)
        engine.run(seen.append)
        try:
            arrive(store, engine, "before")
            soon(lambda: seen == [REF])
            server.dies()
            soon(lambda: any(line.get("what") == "looks acme:urgent" for line in lines))
            server.comes_back()
            arrive(store, engine, "after")
            soon(lambda: seen == [REF, REF])
        finally:
            server.comes_back()
            assert engine.stop(10)


@pytest.mark.timeout(120)
def test_a_start_goes_on_once_the_server_is_there(tmp_path: Path, server: Frail) -> None:
    with beside(tmp_path, server.database(), free_port()) as here:
        server.dies()
        try:
            with uptier(here, "run", "--wait", "5m") as process:
                until("progress", lambda: said(here).count("asked again for") >= 2, 60)
                process.send_signal(signal.SIGHUP)
                until("progress", lambda: said(here).count("asked again for") >= 3, 60)
                assert process.poll() is None, "asked for its policies too early, it goes on"
                assert "listening on" not in said(here)
                server.comes_back()
                until("the write", lambda: here.notes() == [1], 60)
                until("the policies read again", lambda: "reloaded" in said(here), 30)
                process.send_signal(signal.SIGTERM)
                assert process.wait(30) == 0
        finally:
            server.comes_back()
    progress = [line for line in said(here).splitlines() if "asked again for" in line]
    assert progress[0].endswith("; asked again for 300 s")
    assert all("check the server and the way to it" in line for line in progress)
    assert "Traceback" not in said(here)


@pytest.mark.timeout(120)
def test_a_start_ends_where_no_server_comes(tmp_path: Path, server: Frail) -> None:
    with beside(tmp_path, server.database(), free_port()) as here:
        server.dies()
        try:
            with uptier(here, "run", "--wait", "3s") as process:
                assert process.wait(60) == 2
        finally:
            server.comes_back()
        lines = said(here).splitlines()
    assert [line.rpartition("; ")[2] for line in lines[:-1]] == ["asked again for 3 s", "asked again for 1 s"]
    assert lines[-1].startswith("uptier: postgresql://")
    assert lines[-1].endswith("; check the server and the way to it")
    assert os.fspath(here.config) not in lines[-1]
    assert here.sent() == 0
