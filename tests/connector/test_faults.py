"""What goes wrong on the wire, on each helpdesk: each write arrives once, or a human hears of it."""

from pathlib import Path
from typing import Any

import pytest

from connector.store import ledger
from connector.store.ledger import LedgerEntry
from tests.connector.each import EACH, Each, each

HTML = {"headers": {"Content-Type": "text/html"}, "body": "<html><h1>Sorry</h1></html>"}
WRITE_FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "dropped before": ("drop", {"applied": False}),
    "dropped after": ("drop", {"applied": True}),
    "500 before": ("answer", {"status": 500}),
    "500 after": ("answer", {"status": 500, "applied": True}),
    "502 before": ("answer", {"status": 502, **HTML}),
    "502 after": ("answer", {"status": 502, "applied": True, **HTML}),
    "503 before": ("answer", {"status": 503, **HTML}),
    "503 after": ("answer", {"status": 503, "applied": True, **HTML}),
    "504 after": ("answer", {"status": 504, "applied": True, **HTML}),
    "html with 200 before": ("answer", {"status": 200, **HTML}),
    "html with 200 after": ("answer", {"status": 200, "applied": True, **HTML}),
    "half the json": ("truncate", {}),
    "cut off": ("cut", {}),
    "429": ("answer", {"status": 429, "headers": {"Retry-After": "9"}}),
    "429 without a wait": ("answer", {"status": 429}),
}
READ_FAULTS = {name: fault for name, fault in WRITE_FAULTS.items() if not fault[1].get("applied")}


def one_level_due(one: Each) -> None:
    one.opened("one")
    one.round()
    one.clock.advance(31 * 60)


def written_once(one: Each) -> None:
    one.rounds(until=4, every=1)
    shown = one.show()
    assert (shown.group, shown.notes) == ("Tier 2", 1)
    assert shown.tags == {"eu", "escalated"}


@pytest.mark.parametrize("fault", WRITE_FAULTS)
@pytest.mark.parametrize("vendor", EACH)
def test_a_fault_of_a_write_neither_loses_nor_doubles_it(vendor: str, fault: str, tmp_path: Path) -> None:
    kind, more = WRITE_FAULTS[fault]
    with each(vendor, tmp_path) as one:
        one_level_due(one)
        one.fault(kind, **more)
        one.round()
        written_once(one)


@pytest.mark.parametrize("link", [0, 1])
@pytest.mark.parametrize("fault", WRITE_FAULTS)
def test_a_fault_at_any_link_of_a_chain(fault: str, link: int, tmp_path: Path) -> None:
    kind, more = WRITE_FAULTS[fault]
    with each("freshdesk", tmp_path) as one:
        one_level_due(one)
        one.fault(kind, skip=link, **more)
        one.round()
        written_once(one)


@pytest.mark.parametrize("fault", READ_FAULTS)
@pytest.mark.parametrize("vendor", EACH)
def test_faults_of_three_reads_only_delay(vendor: str, fault: str, tmp_path: Path) -> None:
    kind, more = READ_FAULTS[fault]
    with each(vendor, tmp_path) as one:
        one_level_due(one)
        one.fault(kind, method="GET", path="*", times=3, **more)
        one.round()
        written_once(one)


@pytest.mark.parametrize("vendor", EACH)
def test_a_wait_of_an_hour_is_kept(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        one_level_due(one)
        one.fault("answer", status=429, headers={"Retry-After": "3600"})
        one.round()
        asked = len(one.log())
        one.rounds(until=50, every=5)
        assert len(one.log()) == asked
        one.rounds(until=15, every=5)
        written_once(one)


@pytest.mark.parametrize("skew", [-900, 900])
@pytest.mark.parametrize("vendor", EACH)
def test_a_helpdesk_whose_clock_is_wrong_is_written_to_once(vendor: str, skew: int, tmp_path: Path) -> None:
    with each(vendor, tmp_path, skew=skew) as one:
        one.opened("one")
        one.round()
        one.rounds(until=60, every=5)
        written_once(one)


@pytest.mark.parametrize("vendor", EACH)
def test_revoked_credentials_pause_and_resume(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        one_level_due(one)
        one.fault("answer", method="*", path="*", status=401, times=None)
        one.round()
        one.rounds(until=3, every=1)
        assert one.applied() == 0
        one.service.take_pulse()
        ready, said = one.service.ready()
        assert not ready
        assert one.desk.account in str(said)
        paused = [line for line in all_lines(one) if line.what == "account paused"]
        assert len(paused) == 1
        one.desk.desk.faults.clear()
        written_once(one)
        one.service.take_pulse()
        assert one.desk.account not in str(one.service.ready()[1])


def all_lines(one: Each) -> list[LedgerEntry]:
    with one.service.parts.store.reading() as connection:
        return list(ledger.newest(connection, 1000))
