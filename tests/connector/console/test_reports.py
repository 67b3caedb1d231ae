"""The pages *Reports* and *Policies*: the last seven days without a question, small charts, and a policy as a file has
it."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from connector.console import queries
from connector.store import episodes, ledger
from connector.store.database import Store
from connector.store.ledger import Came, LedgerEntry
from policies.model import TicketRef
from policies.state import Episode
from tests.connector.console.conftest import beside
from tests.connector.stores import fresh_store

NOW = 1_790_000_000
DAY = 86_400


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder: Path = tmp_path_factory.mktemp("reports")
    with beside(folder) as shown, shown.logged_in("vera", "viewer") as client:
        yield client


def test_reports_opens_with_the_last_seven_days(client: httpx.Client) -> None:
    page = client.get("/reports").text
    assert re.search(r'aria-current="page">7 days', page)
    assert 'aria-label="Tickets created by day: 0, 0, 0, 0, 0, 0, 2"' in page
    assert 'aria-label="Levels fired by day: 0, 0, 0, 0, 0, 0, 1"' in page
    assert "<summary>What to change" in page
    assert "urgent-unanswered</a>" in page
    days = re.findall(r'href="(/reports\?from=[^"]+)" aria-label="[^"]+created', page)
    assert len(days) == 7
    assert client.get(days[-1].replace("&amp;", "&")).status_code == 200
    refused = client.get("/reports", params={"from": "soon"})
    assert refused.status_code == 400
    assert "--" not in refused.text.split("<main")[1]  # a page names no flags
    assert "from: &#39;soon&#39; is no date" in refused.text


def test_a_policy_stands_beside_what_a_file_has(client: httpx.Client) -> None:
    page = client.get("/policies").text
    written = re.search(r'as TOML">(.*?)</pre>', page, re.DOTALL)
    assert written is not None
    (policy,) = tomllib.loads(written[1].replace("&#34;", '"'))["policy"]
    assert (policy["name"], [level["after"] for level in policy["level"]]) == (
        "urgent-unanswered",
        ["30m", "2h"],
    )
    assert 'aria-label="urgent-unanswered, levels fired by day: 0, 0, 0, 0, 0, 0, 1"' in page
    assert "try a change" not in page  # for operators


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with fresh_store(request.param, tmp_path_factory.mktemp("came")) as store:
        yield store


def test_what_came_of_a_policy_is_counted_in_the_database(store: Store) -> None:
    ended = ((60, "stop_on agent_reply"), (5000, "stop_on agent_reply"), (300, "deescalated"), (None, None))
    with store.writing() as connection:
        for number, (after, reason) in enumerate(ended):
            ref, key = TicketRef("acme", str(number % 3)), f"acme/{number}:p:1"
            line = {
                "account": "acme",
                "ticket": ref.id,
                "policy": "p",
                "episode": key,
                "who": "uptier",
                "text": "",
            }
            ledger.append(connection, [
                LedgerEntry(at=NOW, what="fired", level="Lead", owner="Duty", **line),
                LedgerEntry(at=NOW + 400, what="fired", level="Manager", owner="Duty", **line),
                LedgerEntry(at=NOW - DAY, what="acknowledged", level=None, owner=None, **line),
                LedgerEntry(at=NOW - 9 * DAY, what="fired", level="Lead", owner="Duty", **line),
            ])  # fmt: skip
            episode = Episode(
                key=key, policy="p", number=1, clock_start=NOW, started=NOW, reason=reason,
                ended=None if after is None else NOW + after,
            )  # fmt: skip
            episodes.keep_episodes(connection, ref, [episode])
    with store.reading() as connection:
        assert ledger.came_of(connection, NOW - DAY, 900) == {
            "p": Came(escalations=4, tickets=3, overruled=1, false_alarms=1)
        }
        (one,) = queries.noise(connection, NOW + 500)
    assert (one.fired, one.days, one.acknowledged, one.overruled, one.false_alarms) == (
        8, (0, 0, 0, 0, 0, 0, 8), 4, 1, 1,
    )  # fmt: skip
