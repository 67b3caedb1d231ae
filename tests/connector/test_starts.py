"""The first enforced look of a policy: what is due already, if it is too much, is held until somebody releases it."""

from pathlib import Path

import pytest
from sqlalchemy import text

from connector.config.settings import Caps, load
from connector.demo import CONFIG
from connector.store import accounts, holds, ledger, notices
from connector.store.accounts import Stage
from connector.work.starts import take_up_modes
from tests.connector.each import EACH, Each, each
from tests.connector.stores import fresh_store

vendors = pytest.mark.parametrize("vendor", EACH)
P = "urgent-unanswered"
THREE = "caps = { due_at_start = 3 }"
OBSERVED = CONFIG.replace('mode          = "enforce"', 'mode          = "observe"')
ACCOUNT = """
[accounts.acme]
adapter = "zendesk"
url = "https://acme.test"
auth = { kind = "bearer", token = "secret:t" }
webhook = { secret = "secret:w" }
"""
CHANNEL = '\n[channels.leads]\nurl = "secret:leads"\n'


def stage(one: Each, policy: str = P) -> list[Stage]:
    with one.service.parts.store.reading() as connection:
        every = accounts.starts(connection, one.desk.account, "counting", "held", "running")
        return [each.stage for each in every if each.policy == policy]


def held(one: Each) -> list[str]:
    with one.service.parts.store.reading() as connection:
        return [hold.scope for hold in holds.every(connection)]


def release(one: Each, ticket: str = "", policy: str = "") -> int:
    with one.service.parts.store.writing() as connection:
        now = one.clock.now()
        return holds.release(connection, one.desk.account, ticket, policy, who="lea", why="seen", now=now)


def late(one: Each, many: int) -> list[str]:
    words = [f"t{number}" for number in range(many)]
    one.opened(*words)
    one.clock.advance(40 * 60)
    return words


def enforce(one: Each, folder: Path) -> None:
    path = folder / "uptier.toml"
    path.write_text(path.read_text().replace('mode          = "observe"', 'mode          = "enforce"'))
    assert one.service.reload(load(path))


@vendors
def test_enforced_at_once_above_the_number_nothing_is_written_until_released(
    vendor: str, tmp_path: Path
) -> None:
    secrets = {"UPTIER_SECRET_LEADS": "json://127.0.0.1:1"}
    with each(vendor, tmp_path, service=THREE, config=CONFIG + CHANNEL, secrets=secrets) as one:
        words = late(one, 4)
        summary = one.round()
        assert (one.applied(), stage(one), held(one)) == (0, ["held"], ["start"] * 4)
        with one.service.parts.store.reading() as connection:
            (line,) = [each for each in ledger.newest(connection) if each.what == "held" and not each.ticket]
            (told,) = notices.due(connection, "leads", one.clock.now() + 86400)
        assert line.text.startswith(f"4 tickets on {one.desk.account} were already due when policy")
        assert f"uptier release {one.desk.account} --policy {P}" in line.text
        assert "Escalations answers for it" in told.notice.body
        assert len([each for each in summary.needs_human if "held" in each]) <= 4
        one.opened("new")
        one.round(31)
        one.round(1)
        assert one.show("new").group == "Tier 2", "what comes due later is not held"
        assert one.show(words[0]).group == "Tier 1"
        assert release(one, policy=P) == 4
        one.round(1)
        assert {one.show(word).group for word in words} == {"Tier 2"}
        assert (stage(one), held(one)) == (["running"], [])
        with pytest.raises(holds.NotHeld):
            release(one, policy=P)


@vendors
def test_not_more_than_the_number_go_on_by_themselves(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path, service=THREE) as one:
        words = late(one, 3)
        one.round()
        one.round(1)
        assert {one.show(word).group for word in words} == {"Tier 2"}
        assert (stage(one), held(one)) == (["running"], [])
        assert "held" not in one.whats(words[0])


@vendors
def test_after_observing_it_is_known_and_said_at_the_switch(vendor: str, tmp_path: Path) -> None:
    with each(vendor, tmp_path, service=THREE, config=OBSERVED) as one:
        words = late(one, 4)
        one.round()
        assert stage(one) == []
        one.clock.advance(60)
        enforce(one, tmp_path)
        assert stage(one) == ["held"]
        one.round()
        assert (one.applied(), held(one)) == (0, ["start"] * 4)
        assert release(one, one.ref(words[0]).id) == 1, "one alone may go on"
        one.round(1)
        assert [one.show(word).group for word in words[:2]] == ["Tier 2", "Tier 1"]
        assert release(one) == 3, "the account's release ends this hold too"
        one.round(1)
        assert {one.show(word).group for word in words} == {"Tier 2"}


def test_a_start_that_is_taken_back_holds_nothing(tmp_path: Path) -> None:
    with each("zendesk", tmp_path, service=THREE, config=OBSERVED) as one:
        late(one, 4)
        one.round()
        enforce(one, tmp_path)
        one.round(1)
        path = tmp_path / "uptier.toml"
        path.write_text(path.read_text().replace('mode          = "enforce"', 'mode          = "observe"'))
        assert one.service.reload(load(path))
        assert (stage(one), held(one)) == ([], [])
        one.round(1)
        enforce(one, tmp_path)
        assert stage(one) == ["held"], "it has not begun before"


def test_what_nobody_has_looked_at_yet_may_be_too_much(tmp_path: Path) -> None:
    """Found through webhooks before the first listing, tickets wait until it is known how many there are."""
    with each("zendesk", tmp_path, service=THREE) as one:
        words = late(one, 3)
        parts = one.service.parts
        for visit in (parts.feeds.follow, parts.feeds.list_open):
            assert visit(parts.desks[one.desk.account])
        with parts.store.writing() as connection:
            accounts.census_wanted(connection, one.desk.account)
        parts.engine.drain(parts.worker.work)
        assert (stage(one), held(one), one.applied()) == (["counting"], ["start"] * 3, 0)
        one.round()
        one.round(1)
        assert (stage(one), held(one)) == (["running"], [])
        assert {one.show(word).group for word in words} == {"Tier 2"}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_was_enforced_before_this_version_counts_as_having_run(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "uptier.toml"
    other = CONFIG.split("[[policy]]")[1].replace(P, "quiet").replace("clock ", 'mode = "observe"\nclock ', 1)
    path.write_text(f"{CONFIG}\n[[policy]]{other}{ACCOUNT}")
    policies = load(path).policies
    assert policies is not None, load(path).problems
    with fresh_store(kind, tmp_path) as store, store.writing() as connection:
        accounts.ensure(connection, "acme", 5)
        accounts.first_ran(connection, "acme", [P, "quiet"], 10)
        connection.execute(text("UPDATE first_run SET stage = 'before'"))
        take_up_modes(connection, policies, "acme", Caps(), 100)
        found = accounts.starts(connection, "acme", "counting", "held", "running")
        assert [(each.policy, each.enforced, each.stage) for each in found] == [(P, 10, "running")]
        path.write_text(path.read_text().replace('mode = "observe"\n', ""))
        policies = load(path).policies
        assert policies is not None
        take_up_modes(connection, policies, "acme", Caps(), 200)
        found = accounts.starts(connection, "acme", "counting")
        assert [(each.policy, each.enforced) for each in found] == [("quiet", 200)]
