"""A write that cannot succeed ends, is told, and holds nobody else up, on each helpdesk."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from adapters.base import NotTaken, Receipt, RefusedPart, Stale, WontAccept
from adapters.freshdesk.simulator.state import Trigger
from connector.cli.main import app
from connector.demo import CONFIG
from connector.store import writes
from connector.work.retry import WRITE
from tests.connector.each import EACH, Each, each

HOURS = sum(WRITE.steps) // 60 + 30
"""Minutes after which every try has been made."""

FOREVER = {
    "404": {"status": 404},
    "405": {"status": 405},
    "409": {"status": 409},
    "415": {"status": 415},
    "500": {"status": 500},
    "503": {"status": 503},
}


@pytest.fixture(autouse=True)
def said() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


def path_of(one: Each, word: str) -> str:
    return f"*/{one.ref(word).id}*"


def sent_to(one: Each, word: str) -> list[Any]:
    return [row for row in one.log() if one.ref(word).id in row.path.split("/")[4:]]


def due(one: Each, *words: str) -> None:
    one.opened(*words)
    one.round()
    one.clock.advance(31 * 60)


def adapter_of(one: Each) -> Any:
    return one.service.parts.desks[one.desk.account].adapter


@pytest.mark.parametrize("fault", FOREVER)
@pytest.mark.parametrize("vendor", EACH)
def test_a_write_that_never_succeeds_is_refused_and_told(vendor: str, fault: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        due(one, "one", "two")
        one.fault("answer", times=None, path=path_of(one, "two"), **FOREVER[fault])
        first = one.round()
        assert first.needs_human
        one.rounds(until=5 * HOURS, every=15)
        assert one.show("one").notes > 0, "nobody else waits for it"
        assert "write refused" in one.whats("two")
        kept = kept_of(one, "two")
        last = {each.state for each in kept if each.level == "Duty managers"}
        assert last == {writes.State.REFUSED}
        overtaken = {each.state for each in kept if each.level != "Duty managers"}
        assert overtaken <= {writes.State.REFUSED, writes.State.STALE}, "the next level may come first"
        assert all(each.tries <= WRITE.tries for each in kept)
        asked = len(sent_to(one, "two"))
        assert asked <= WRITE.tries * len(kept)
        one.rounds(until=120, every=40)
        assert len(sent_to(one, "two")) == asked


def kept_of(one: Each, word: str) -> list[writes.KeptWrite]:
    with one.service.parts.store.reading() as connection:
        return list(writes.of_ticket(connection, one.ref(word)))


@pytest.mark.parametrize("vendor", EACH)
def test_tries_are_counted_across_looks_and_a_run_ends(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with each(vendor, tmp_path) as one:
        due(one, "one")
        tried: list[int] = []

        def stale(*_: Any, **_fresh: Any) -> Any:
            tried.append(one.clock.now())
            raise Stale("it changes all the time")

        monkeypatch.setattr(adapter_of(one), "send", stale)
        summary = one.round()
        assert any("not done yet" in text for text in summary.needs_human)
        assert len(tried) <= 3
        one.rounds(until=HOURS, every=5)
        first = next(kept for kept in kept_of(one, "one") if kept.place == 0)
        assert first.tries == WRITE.tries
        assert str(first.state) == "refused"
        pauses = [after - before for before, after in pairwise(tried[: WRITE.tries])]
        assert all(pause >= least for pause, least in zip(pauses, WRITE.steps, strict=False))


@pytest.mark.parametrize("vendor", EACH)
def test_tries_of_one_part_count_once_in_the_tickets_cap(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with each(vendor, tmp_path, service="caps = { writes_per_day = 2, escalations_per_hour = 2 }") as one:
        due(one, "one", "two")
        adapter, bad = adapter_of(one), one.ref("one")
        send = adapter.send

        def stale(write: Any, expects: str, **_fresh: Any) -> Any:
            if write.ref == bad:
                raise Stale("it changes all the time")
            return send(write, expects)

        with monkeypatch.context() as patch:
            patch.setattr(adapter, "send", stale)
            one.rounds(until=2, every=0.5)
        assert "fired" in one.whats("two"), "the account's cap counts levels"
        one.rounds(until=6, every=2)
        assert "held" not in one.whats("one")
        assert "fired" in one.whats("one")


@pytest.mark.parametrize("vendor", EACH)
def test_a_refused_part_is_taken_out_and_the_rest_is_sent(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[Any]
) -> None:
    part = RefusedPart(field="group", vendor_field="group_id", text="is not a group any more")
    with each(vendor, tmp_path) as one:
        due(one, "one")
        adapter = adapter_of(one)
        works = adapter.send

        def send(write: Any, expects: str, **_fresh: Any) -> Any:
            if any(action.kind == "assign" for action in write.intent):
                raise WontAccept("422: group_id is not a group any more", (part,))
            return works(write, expects)

        monkeypatch.setattr(adapter, "send", send)
        summary = one.round()
        one.round(1)
        shown = one.show()
        assert (shown.notes, shown.tags) == (1, {"eu", "escalated"})
        assert shown.group != "Tier 2"
        lines = {line.what: line for line in one.lines()}
        assert lines["part refused"].text == "group (group_id): is not a group any more"
        assert lines["partly"].text == "without assignment"
        assert lines["written"].level == "Second line"
        assert "fired" in lines
        assert any("group_id" in text for text in summary.needs_human)
        assert [line["level"] for line in said if line["event"] == "part_refused"] == ["Second line"]
        assert one.whats().count("part refused") == 1


@pytest.mark.parametrize("vendor", ["zendesk", "servicenow"])
def test_a_refused_follower_takes_nothing_else_with_it(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = 'name   = "Second line"\n'
    config = CONFIG.replace(named, f'{named}follow = ["dana@acme.test"]\n')
    assert config != CONFIG
    part = RefusedPart(field="follow", vendor_field="followers", text="is a light agent")
    with each(vendor, tmp_path, config=config) as one:
        due(one, "one")
        adapter = adapter_of(one)
        works = adapter.send

        def send(write: Any, expects: str, **_fresh: Any) -> Any:
            if any(action.kind == "follow" for action in write.intent):
                raise WontAccept("422: followers is a light agent", (part,))
            return works(write, expects)

        monkeypatch.setattr(adapter, "send", send)
        one.round()
        one.round(1)
        shown = one.show()
        assert (shown.notes, shown.group, shown.tags) == (1, "Tier 2", {"eu", "escalated"})
        assert {line.what: line.text for line in one.lines()}["partly"] == "without follower"


@pytest.mark.parametrize("vendor", EACH)
def test_a_refusal_that_names_nothing_of_ours_still_lets_the_note_through(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = RefusedPart(field="", vendor_field="360041", text="Category is required")
    with each(vendor, tmp_path) as one:
        due(one, "one")
        adapter = adapter_of(one)
        works = adapter.send

        def send(write: Any, expects: str, **_fresh: Any) -> Any:
            if any(action.kind != "note" for action in write.intent):
                raise WontAccept("422: Category is required", (part,))
            return works(write, expects)

        monkeypatch.setattr(adapter, "send", send)
        one.rounds(until=2, every=1)
        assert (one.show().notes, one.show().tags) == (1, {"eu"})
        assert "something else (360041): Category is required" in [line.text for line in one.lines()]


def untaking(one: Each, patch: pytest.MonkeyPatch, times: int) -> None:
    """So many writes of an assignment are answered with success, and the ticket stays where it was."""
    adapter = adapter_of(one)
    works, left = adapter.send, [times]

    def send(write: Any, expects: str, **_fresh: Any) -> Any:
        assigns = any(action.kind == "assign" for action in write.intent)
        if assigns and left[0]:
            left[0] -= 1
            rest = tuple(action for action in write.intent if action.kind != "assign")
            one_less = adapter.prepare(tickets[-1], rest, write.key.rpartition(":")[0]).writes
            receipt = works(replace(one_less[0], key=write.key), expects) if one_less else None
            part = NotTaken(field="group", wanted="Tier 2", found="Tier 1", why="a rule moved it back")
            made = receipt or Receipt(key=write.key, revision=expects, at=one.clock.now())
            return replace(made, not_taken=(part,))
        return works(write, expects)

    tickets: list[Any] = []
    loads = adapter.load

    def load(*args: Any) -> Any:
        tickets.append(loads(*args))
        return tickets[-1]

    patch.setattr(adapter, "load", load)
    patch.setattr(adapter, "send", send)


@pytest.mark.parametrize("vendor", EACH)
def test_what_is_not_taken_is_said_and_tried_once_more(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with each(vendor, tmp_path) as one:
        due(one, "one")
        untaking(one, monkeypatch, times=1)
        summary = one.round()
        one.rounds(until=2, every=0.5)
        (line,) = [line for line in one.lines() if line.what == "not taken"]
        assert line.text == "group is Tier 1 after the write, not Tier 2; a rule moved it back"
        assert (line.level, line.data["field"]) == ("Second line", "group")
        assert "partly" in one.whats()
        assert any("not taken" in text for text in summary.needs_human)
        assert (one.show().group, one.show().notes) == ("Tier 2", 1)
        assert "held" not in one.whats()


@pytest.mark.parametrize("vendor", EACH)
def test_what_is_not_taken_twice_is_held_and_its_owner_told(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[Any]
) -> None:
    with each(vendor, tmp_path) as one:
        due(one, "one")
        untaking(one, monkeypatch, times=99)
        one.rounds(until=3, every=0.5)
        assert one.whats().count("not taken") == 2
        assert one.whats().count("held") == 1
        assert one.show().notes == 2, "the level's note, and the one that says so"
        written = len(one.log())
        summary = one.round(100)
        assert len(one.log()) == written, "held, though the next level is due"
        assert any("held" in text for text in summary.needs_human)
        assert {"not_taken", "held"} <= {line["event"] for line in said}
        monkeypatch.chdir(tmp_path)
        told = CliRunner().invoke(app, ["explain", str(one.ref())]).stdout
        assert "not taken: group is Tier 1 after the write, not Tier 2; a rule moved it back" in told
        assert "not taken" in CliRunner().invoke(app, ["history", str(one.ref())]).stdout


def test_what_a_rule_undoes_behind_the_answer_shows_in_the_next_row(tmp_path: Path) -> None:
    """Freshdesk answers an update with what was sent, and its rules act on it at once."""
    with each("freshdesk", tmp_path) as one:
        due(one, "one")
        desk = one.desk.desk
        groups = {row["name"]: row["id"] for row in desk.people.groups.values()}
        back = Trigger(when={"group_id": groups["Tier 2"]}, fields={"group_id": groups["Tier 1"]})
        desk.triggers.append(back)
        one.round()
        assert "not taken" not in one.whats()
        one.rounds(until=2, every=0.5)
        assert one.whats().count("not taken") == 2
        assert one.whats().count("held") == 1
        assert one.show().notes == 2, "the level's note, and the one that says so"


def test_what_a_person_takes_back_after_our_write_is_theirs(tmp_path: Path) -> None:
    with each("freshdesk", tmp_path) as one:
        due(one, "one")
        one.round()
        one.clock.advance(20)
        one.desk.desk.agent_changes(one.desk.tickets["one"], "Ann", group="Tier 1")
        one.rounds(until=3, every=0.5)
        assert "not taken" not in one.whats()
        assert one.show().group == "Tier 1"


@pytest.mark.parametrize("vendor", EACH)
def test_levels_that_write_are_logged_as_fired(vendor: str, tmp_path: Path, said: list[Any]) -> None:
    with each(vendor, tmp_path) as one:
        due(one, "one")
        one.round()
        fired = [line for line in said if line["event"] == "fired"]
        assert [(line["level"], line["ticket"]) for line in fired] == [("Second line", str(one.ref()))]
        assert not any("rung" in line for line in said)
