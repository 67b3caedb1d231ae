"""zenpy itself reads the simulated account: the strictest judge of shapes that is at hand (sheet 5)."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from zenpy import Zenpy

from adapters.simulation.server import serve
from adapters.zendesk.simulator import BOT, TOKEN
from tests.adapters.zendesk.simulated import Api
from tests.patience import PATIENCE


@pytest.fixture(scope="module")
def zenpy() -> Iterator[Any]:
    api = Api()
    api.desk.seed(
        groups=[{"name": f"Team {number}"} for number in range(120)],
        ticket_fields=[{"title": "Cause", "type": "tagger", "tag": "x"}],
    )
    api.clock.pass_by(100)
    with serve(api.app) as base, requests.Session() as session:
        yield client(base, session)


def client(base: str, session: requests.Session) -> Any:
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {TOKEN}"
    session.authorized = True  # type: ignore[attr-defined]
    subdomain, _, domain = urlsplit(base).netloc.partition(".")
    zenpy = Zenpy(subdomain=subdomain, domain=domain, session=session, disable_cache=True, timeout=PATIENCE)
    for part in vars(zenpy).values():
        if hasattr(part, "protocol"):
            part.protocol = "http"
    return zenpy


def test_me(zenpy: Any) -> None:
    me = zenpy.users.me()
    assert (me.email, me.role) == (BOT, "admin")


def test_groups_over_several_pages(zenpy: Any) -> None:
    names = [group.name for group in zenpy.groups()]
    assert len(names) == len(set(names)) == 122


def test_groups_in_offset_pages(zenpy: Any) -> None:
    assert len(list(zenpy.groups(cursor_pagination=False))) == 122


def test_memberships(zenpy: Any) -> None:
    pairs = {(row.user_id, row.group_id) for row in zenpy.group_memberships()}
    assert pairs == {(21, 11), (22, 12), (23, 11), (23, 12)}


def test_users_of_two_roles(zenpy: Any) -> None:
    assert {user.name for user in zenpy.users(role=["agent", "admin"])} == {"Uptier", "Ann", "Ben", "Both"}


def test_organizations(zenpy: Any) -> None:
    assert [row.name for row in zenpy.organizations(ids=[31])] == ["Initech"]


def test_ticket_fields(zenpy: Any) -> None:
    assert [field.title for field in zenpy.ticket_fields()] == ["Cause"]


def test_a_ticket_and_its_trail(zenpy: Any) -> None:
    assert zenpy.tickets(id=1).subject == "Printer"
    assert [comment.body for comment in zenpy.tickets.comments(1)] == ["It burns"]
    assert [audit.author_id for audit in zenpy.tickets.audits(ticket=1)] == [41]


def test_the_incremental_export(zenpy: Any) -> None:
    assert [ticket.id for ticket in zenpy.tickets.incremental(start_time=1, paginate_by_time=False)] == [1]
