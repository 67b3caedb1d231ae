"""Accounts: known once, paused with the first reason, policies dated by their first run."""

from sqlalchemy import Connection

from connector.store import accounts
from connector.store.accounts import ConnectedAccount


def test_an_account_keeps_the_day_it_was_first_seen(connection: Connection) -> None:
    accounts.ensure(connection, "acme", 100)
    accounts.ensure(connection, "acme", 200)
    accounts.ensure(connection, "beta", 200)
    assert [(one.name, one.first_seen_at) for one in accounts.every(connection)] == [
        ("acme", 100),
        ("beta", 200),
    ]
    assert accounts.get(connection, "gamma") is None


def test_pausing_keeps_the_first_reason_and_resuming_clears_it(connection: Connection) -> None:
    accounts.ensure(connection, "acme", 100)
    assert accounts.pause(connection, "acme", "401", 110)
    assert not accounts.pause(connection, "acme", "403", 120)
    paused = ConnectedAccount(
        name="acme", first_seen_at=100, paused_reason="401", paused_at=110, census_at=None
    )
    assert accounts.get(connection, "acme") == paused
    assert accounts.resume(connection, "acme")
    assert not accounts.resume(connection, "acme")
    resumed = accounts.get(connection, "acme")
    assert resumed is not None
    assert (resumed.paused_reason, resumed.paused_at) == (None, None)


def test_a_policy_first_ran_when_it_was_first_named(connection: Connection) -> None:
    assert accounts.first_ran(connection, "acme", ["a", "b"], 100) == {"a": 100, "b": 100}
    assert accounts.first_ran(connection, "acme", ["b", "c"], 200) == {"a": 100, "b": 100, "c": 200}
    assert accounts.first_ran(connection, "beta", ["a"], 300) == {"a": 300}
    assert accounts.first_ran(connection, "gamma", [], 400) == {}
