"""What is undone on each helpdesk: episodes that run or have ended, and nobody's own change."""

from dataclasses import replace
from pathlib import Path

import pytest

from connector.config.settings import load
from connector.demo import CONFIG
from connector.store import inbox
from connector.work.undoing import of_many, of_one
from policies.model import Order
from tests.connector.each import EACH, Each, each

vendors = pytest.mark.parametrize("vendor", EACH)
POLICY = "urgent-unanswered"


def undo(one: Each, word: str = "one", key: str | None = None) -> None:
    """Somebody takes it back; then rounds until it has settled."""
    given = Order(
        verb="undo",
        who="dana",
        at=one.clock.now(),
        reason="a storm",
        policy=POLICY,
        episode=key or f"{one.ref(word)}:{POLICY}:1",
    )
    with one.service.parts.store.writing() as connection:
        inbox.give_order(connection, one.ref(word), given)
    one.round(0.5)
    one.round(0.5)


def fired(one: Each) -> None:
    one.opened("one")
    one.round()
    one.round(121)
    one.round(1)
    assert one.show().group == "Duty managers"


@vendors
def test_a_running_episode_is_undone_and_does_not_fire_again(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one")
        one.round()
        before = one.show()
        one.round(121)
        one.round(1)
        assert one.show().group == "Duty managers"
        undo(one)
        after = one.show()
        assert (after.group, after.assignee, after.priority, after.tags) == (
            before.group, before.assignee, before.priority, before.tags,
        )  # fmt: skip
        assert [line.text for line in one.lines() if line.what == "ended"] == ["undone"]
        one.rounds(until=300, every=60)
        assert one.show() == after


@vendors
def test_what_was_observed_first_is_undone_once(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path, config=CONFIG.replace('"enforce"', '"observe"')) as one:
        one.opened("one")
        one.round(31)
        path = tmp_path / "uptier.toml"
        path.write_text(path.read_text().replace('"observe"', '"enforce"'), encoding="utf-8")
        assert one.service.reload(load(path))
        one.round(1)
        one.round(1)
        assert one.show().group == "Tier 2"
        undo(one, key=f"{one.ref()}:{POLICY}:2")
        assert one.show().group == "Tier 1"
        assert one.whats().count("undone") == 1


def test_what_was_put_back_is_taken_back_by_the_ticket_and_by_the_policy(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        fired(one)
        key = f"{one.ref()}:{POLICY}:1"
        undo(one)
        undo(one, key=f"{key}:undo")
        assert one.show().group == "Duty managers"
        store = one.service.parts.store
        (named,) = of_one(store, str(one.ref()), None)
        (among,) = of_many(store, POLICY, one.clock.now() - 86400)
        assert (named.key, named.why_not) == (among.key, among.why_not) == (f"{key}:undo:undo", "")
        (old,) = of_one(store, key, None)
        assert (
            old.why_not
            == f"{key} was taken back and put back again; to take that back: uptier undo {key}:undo:undo"
        )
        undo(one, key=named.key)
        assert one.show().group == "Tier 1"


@vendors
def test_an_ended_episode_is_undone_and_its_undo_too(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        one.opened("one")
        one.round()
        before = one.show()
        one.round(121)
        one.round(1)
        written = one.show()
        one.clock.advance(60)
        one.desk.answer("one", "Ann", "On it.")
        one.round(1)
        assert "ended" in one.whats(), one.lines()
        undo(one)
        after = one.show()
        assert (after.group, after.assignee, after.priority, after.tags) == (
            before.group, before.assignee, before.priority, before.tags,
        )  # fmt: skip
        key = f"{one.ref()}:{POLICY}:1:undo"
        assert f"take that back: uptier undo {key}" in next(
            line.text for line in one.lines() if line.what == "undone"
        )
        undo(one, key=key)
        again = one.show()
        assert (again.group, again.assignee, again.priority, again.tags) == (
            written.group, written.assignee, written.priority, written.tags,
        )  # fmt: skip
        notes = again.notes
        one.rounds(until=300, every=60)
        assert one.show().notes == notes, "the ladder stays ended"
        assert "put back" in one.whats()
        undo(one)
        assert one.lines()[-1].what == "order refused"


@vendors
def test_what_somebody_changed_since_stays(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        fired(one)
        one.clock.advance(60)
        one.desk.desk.agent_changes(one.desk.tickets["one"], "Ann", group="Escalations")
        one.round(1)
        undo(one)
        assert (one.show().group, one.show().tags) == ("Escalations", {"eu"})
        assert [line.text for line in one.lines() if line.what == "left out"] == ["assign: changed since"]


@vendors
def test_it_is_undone_though_its_policy_only_observes_by_now(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        fired(one)
        rules = one.service.parts.rules
        held = rules()
        observing = replace(held.policies, modes={**held.policies.modes, "": "observe"})
        rules.replace(replace(held, policies=observing))
        undo(one)
        assert (one.show().group, one.show().tags) == ("Tier 1", {"eu"})


@vendors
def test_it_is_undone_though_its_policy_was_removed(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        fired(one)
        rules = one.service.parts.rules
        held = rules()
        rules.replace(replace(held, policies=replace(held.policies, policies=())))
        one.round(1)
        undo(one)
        assert (one.show().group, one.show().tags) == ("Tier 1", {"eu"})


@vendors
def test_after_an_undo_a_new_message_of_the_customer_does_not_escalate(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path) as one:
        fired(one)
        undo(one)
        after = one.show()
        one.desk.answer("one", "Ann", "Looking.")
        one.round(5)
        one.desk.desk.customer_says(one.desk.tickets["one"], "And?")
        one.rounds(until=300, every=60)
        assert (one.show().group, one.show().notes) == (after.group, after.notes)
