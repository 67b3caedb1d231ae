"""OAuth: tokens that live for half an hour, and a refresh that ends the pair before it."""

import threading
from collections.abc import Iterator

import pytest

from adapters.base import AccessLost, Note, TryLater
from adapters.zendesk.simulator import CLIENT, CLIENT_SECRET
from tests.adapters.zendesk.world import PLAIN, PRINTER, World, world

LIFE = 1800


def oauth(secret: str = CLIENT_SECRET) -> dict[str, object]:
    auth = {"kind": "oauth", "client_id": CLIENT, "client_secret": "secret:client"}
    return {"auth": auth, "secret": lambda _: secret, "webhook": {}}


@pytest.fixture(params=[True, False], ids=["refresh tokens", "no refresh tokens"])
def acme(request: pytest.FixtureRequest) -> Iterator[World]:
    """An account whose tokens live for half an hour."""
    with world(settings=oauth(), token_life=LIFE, refresh_tokens=request.param) as made:
        yield made


def grants(acme: World) -> int:
    return sum(logged.path == "/oauth/tokens" for logged in acme.desk.log)


def test_one_token_serves_many_requests(acme: World) -> None:
    for _ in range(5):
        acme.adapter.load(PRINTER, PLAIN)
    assert grants(acme) == 1


def test_a_token_that_ends_costs_one_refresh_and_no_write(acme: World) -> None:
    ticket = acme.adapter.load(PRINTER, PLAIN)
    (write,) = acme.adapter.prepare(ticket, (Note(public=False, body="Hello"),), "k").writes
    acme.clock.at += LIFE + 5
    acme.adapter.send(write, write.expects)
    assert grants(acme) == 2
    assert [logged.status for logged in acme.desk.log if logged.method == "PUT"] == [401, 200]
    assert len(acme.desk.ticket(1).comments) == 2


def test_many_threads_make_one_refresh(acme: World) -> None:
    acme.adapter.load(PRINTER, PLAIN)
    acme.clock.at += LIFE + 5
    barrier = threading.Barrier(6)

    def look() -> None:
        barrier.wait()
        acme.adapter.load(PRINTER, PLAIN)

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert grants(acme) == 2


def test_a_spent_refresh_token_gives_way_to_the_grant() -> None:
    with world(settings=oauth(), token_life=LIFE, refresh_tokens=True) as acme:
        acme.adapter.load(PRINTER, PLAIN)
        acme.desk.access.refreshes.clear()
        acme.clock.at += LIFE + 5
        acme.adapter.load(PRINTER, PLAIN)
        assert grants(acme) == 3


def test_a_wrong_client_secret_is_lost_access() -> None:
    with (
        world(settings=oauth("wrong"), token_life=LIFE) as acme,
        pytest.raises(AccessLost, match="client_secret"),
    ):
        acme.adapter.load(PRINTER, PLAIN)


def test_a_token_address_that_does_not_answer_is_an_outage() -> None:
    with world(settings=oauth(), token_life=LIFE) as acme:
        acme.fault("answer", path="/oauth/tokens", status=503)
        with pytest.raises(TryLater):
            acme.adapter.load(PRINTER, PLAIN)


def test_a_revoked_token_is_replaced(acme: World) -> None:
    acme.adapter.load(PRINTER, PLAIN)
    acme.desk.access.revoke()
    acme.adapter.load(PRINTER, PLAIN)
    assert grants(acme) == 2
