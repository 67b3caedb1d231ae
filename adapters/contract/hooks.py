"""Webhooks: whom to believe, and which ticket is meant."""

from dataclasses import replace

import pytest

from adapters.base import Adapter, HookRequest, Malformed, NotAuthentic
from adapters.contract.sandbox import Sandbox
from policies.model import TicketRef


class Hooks:
    """What the helpdesk posts."""

    def test_a_webhook_names_the_ticket_and_a_repeat_is_known(self, sandbox: Sandbox) -> None:
        request = sandbox.hook(sandbox.ref)
        first, second = sandbox.adapter.decode(request), sandbox.adapter.decode(request)
        assert {event.ref for event in first} == {sandbox.ref}
        assert [event.delivery for event in first] == [event.delivery for event in second]
        sandbox.settle()
        other = sandbox.adapter.decode(sandbox.hook(sandbox.ref))
        assert {event.delivery for event in first}.isdisjoint(event.delivery for event in other)

    def test_a_forged_webhook_is_refused(self, sandbox: Sandbox) -> None:
        request = sandbox.hook(sandbox.ref)
        for name in request.headers:
            bare = {key: value for key, value in request.headers.items() if key != name}
            for headers in (bare, bare | {name: "forged"}):
                decoded = attempt(sandbox.adapter, replace(request, headers=headers))
                assert decoded in (None, {sandbox.ref})
        with pytest.raises(NotAuthentic):
            sandbox.adapter.decode(replace(request, headers={}))

    def test_a_webhook_without_a_ticket_is_malformed_or_not_authentic(self, sandbox: Sandbox) -> None:
        request = sandbox.hook(sandbox.ref)
        for body in (b"", b"[]", b"{", b"\xff\xfe", b'{"a": 1}', b"9" * 5000):
            with pytest.raises((Malformed, NotAuthentic)):
                sandbox.adapter.decode(replace(request, body=body))


def attempt(adapter: Adapter, request: HookRequest) -> set[TicketRef] | None:
    """The tickets a webhook names; None if it is not let in."""
    try:
        return {event.ref for event in adapter.decode(request)}
    except (NotAuthentic, Malformed):
        return None
