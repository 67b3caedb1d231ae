"""A helpdesk in trouble, and the gate that keeps it out of some."""

from collections.abc import Callable

import pytest

from adapters.base import AccessLost, Note, TryLater, Write
from adapters.contract.sandbox import Sandbox
from adapters.contract.ticket import ALL, ROW, prepared
from policies.plan import ChangeTags


class Trouble:
    """Limits, outages, lost credentials."""

    def test_come_back_later_is_said_with_the_wait(self, sandbox: Sandbox) -> None:
        (write,) = prepared(sandbox, ChangeTags(add=frozenset({"uptier-contract"})))
        calls: tuple[Callable[[], object], ...] = (
            lambda: sandbox.adapter.load(sandbox.ref, ROW),
            lambda: sandbox.adapter.send(write, write.expects),
        )
        for call in calls:
            sandbox.busy(17)
            with pytest.raises(TryLater) as told:
                call()
            assert told.value.wait == 17
            assert 17 in {wait for _, wait in sandbox.gate.held}
            sandbox.gate.held.clear()
        assert sandbox.written() == 0

    def test_every_request_goes_through_the_gate(self, sandbox: Sandbox) -> None:
        (write,) = prepared(sandbox, Note(public=False, body="Counted."))
        for call in (*reads(sandbox), *about(sandbox, write), sandbox.adapter.probe):
            entered, came = len(sandbox.gate.entered), sandbox.requests()
            call()
            assert 0 < sandbox.requests() - came <= len(sandbox.gate.entered) - entered

    def test_a_closed_gate_lets_nothing_out(self, sandbox: Sandbox) -> None:
        (write,) = prepared(sandbox, Note(public=False, body="Not now."))
        came, sandbox.gate.closed = sandbox.requests(), 31
        for call in (*reads(sandbox), *about(sandbox, write)):
            with pytest.raises(TryLater) as told:
                call()
            assert told.value.wait == 31
        assert sandbox.requests() == came

    def test_an_outage_is_never_an_empty_list(self, sandbox: Sandbox) -> None:
        sandbox.broken()
        for read in reads(sandbox):
            with pytest.raises(TryLater):
                read()

    def test_lost_credentials_are_said_by_every_call(self, sandbox: Sandbox) -> None:
        writes = prepared(sandbox, ChangeTags(add=frozenset({"uptier-contract"})))
        sandbox.revoke()
        for read in reads(sandbox):
            with pytest.raises(AccessLost):
                read()
        with pytest.raises(AccessLost):
            sandbox.adapter.send(writes[0], writes[0].expects)


def about(sandbox: Sandbox, write: Write) -> tuple[Callable[[], object], ...]:
    """Every call about a write, and the look at the whole ticket before it."""
    adapter = sandbox.adapter
    return (
        lambda: adapter.load(write.ref, ALL),
        lambda: adapter.find_written(write),
        lambda: adapter.send(write, write.expects),
    )


def reads(sandbox: Sandbox) -> tuple[Callable[[], object], ...]:
    """Every call that reads."""
    adapter = sandbox.adapter
    return (
        lambda: adapter.load(sandbox.ref, ROW),
        lambda: adapter.census(None),
        lambda: adapter.poll(None, since=sandbox.now() - 60, limit=10),
        adapter.directory,
    )
