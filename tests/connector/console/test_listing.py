"""The list of what is escalated: orders for many without scripts, saved views, what an address may ask, and what a page
of it costs."""

import re
from functools import partial
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connector.console.frame import page
from connector.console.listing import ASKED_OF, PAGE, address, start_of, wanted_of
from connector.store import codec, holds
from connector.store.database import put
from connector.store.due import DuePage, DueRow
from connector.store.escalated import ANSWERED, Escalated, columns_of
from connector.store.holds import Hold
from connector.store.schema import escalated as table
from policies.model import TicketRef
from tests.connector.console.conftest import Shown, csrf
from tests.connector.store.test_escalated import row
from tests.connector.work.test_statements import OPENS, counted


def rows_of(text: str) -> list[str]:
    return re.findall(r'<tr id="r:([^"]+)"', text)


MANY, NOW = 10_000, 1_790_000_000


def test_ten_thousand_cost_what_is_shown(shown: Shown) -> None:
    """Statements and bytes, which no slow machine changes. Long names, and every state."""
    now = shown.here.clock.now()
    made = [
        row(
            100_000 + number,
            subject=f"Subject {number} " + "and what people write behind it, at length " * 5,
            team=f"Team {number % 90} of the north-west",
            owner=f"Owner {number % 400} of the second line",
            rank=number % 4,
            acknowledged_by="Dana Okafor" if number % 4 == ANSWERED else "",
            at=now + number - MANY // 2,
            next_due=now + number - MANY // 2,
            waits_since=now - number,
            more=("one-more", "and-another"),
        )
        for number in range(MANY)
    ]
    with shown.store.writing() as connection:
        put(connection, table, [columns_of(each, codec.dump(Escalated, each)) for each in made])
    with shown.logged_in("dana", "operator") as client:
        costs = []
        for asked in (
            {},
            {"q": "subject 77"},
            {"state": "overdue", "sort": "-owner", "from": "900"},
            {"mine": "yes"},
        ):
            with counted() as told:
                answer = client.get("/now", params=asked)
            assert answer.status_code == 200
            assert len(answer.content) < 200_000
            assert answer.text.count("<form") <= 8
            costs.append(len([each for each in told if not each.startswith(OPENS)]))
            assert not any(re.search(r"\bFROM ticket\b", each) for each in told)
        assert costs[0] == costs[1] == costs[2] == 9
        assert costs[3] <= costs[0] + 2  # who somebody is at the helpdesk is read once an account
        text = client.get("/now").text
        assert len(rows_of(text)) == PAGE
        more = re.search(r'id="page:on" href="([^"]+)"', text)
        assert more is not None
        assert not set(rows_of(text)) & set(rows_of(client.get(unescape(more[1])).text))


def test_a_page_of_what_is_due_is_bounded_too() -> None:
    """Values in, bytes out: as many rows as a page has, of long words."""
    long = "what people write behind it, at length " * 40
    one = DueRow(
        ref=TicketRef("acme-of-the-north-west", "INC0012345"), stand="coming", subject=long, why=long,
        link=f"https://acme.test/{'a' * 60}", owner="Owner of the second line", policy="urgent-unanswered-of-the-north",
        level="Duty managers", at=NOW, to="Duty managers of the north", observes=True,
    )  # fmt: skip
    shown = DuePage(rows=(one,) * PAGE, counts={"overdue": 1000, "coming": 500}, unseen=3, counted=1000)
    text = page(
        "due.html", title="Due", menu=(), path="/due", asking=None, now=NOW, shown=shown, total=1500, first=PAGE,
        size=PAGE, asked=dict.fromkeys(ASKED_OF["/due"], ""), link=partial(address, {"policy": "a"}, "/due"),
        accounts=("acme",), policies=("a", "b"), does={},
    ).body  # fmt: skip
    assert len(text) < 200_000
    assert b"101 to 200 of 1500 or more" in text
    assert b'href="/due?policy=a&amp;from=200"' in text


def given(client: httpx.Client, verb: str, *refs: str, back: str = "", **more: str) -> httpx.Response:
    """Orders as a browser without scripts sends them."""
    boxes = {f"t:{ref}": "urgent-unanswered" for ref in refs}
    return client.post(
        "/now/orders", data={"csrf": csrf(client, "/now"), "verb": verb, "back": back} | boxes | more
    )


def test_without_scripts_one_form_acts_on_many_and_says_what_became_of_each(shown: Shown) -> None:
    with shown.logged_in("dana", "operator") as client:
        answer = given(client, "acknowledge", "acme/1", "acme/2", "acme/9", back="state=&q=acme")
        assert answer.headers["location"] == "/now?q=acme&said=orders"
        text = client.get(answer.headers["location"]).text
        assert "1 given and carried out with the next look, 2 refused" in " ".join(text.split())
        assert "<li>acme/2: no level has fired yet</li>" in text
        assert "<li>acme/9: no such escalation runs</li>" in text
        shown.here.round(1)
        assert "1 done" in client.get(answer.headers["location"]).text
        assert [line.who for line in shown.here.lines("one") if line.what == "acknowledged"] == ["dana"]
        assert "no such escalation" not in client.get("/now").text
        assert "No ticket was selected" in client.get(given(client, "acknowledge").headers["location"]).text
        reasonless = client.get(given(client, "snooze", "acme/2").headers["location"]).text
        assert "say why: snooze wants a reason" in reasonless
        given(client, "snooze", "acme/2", reason="asked for", **{"for": "2h"})
        shown.here.round(1)
        assert "snoozed" in shown.here.whats("two")
        assert given(client, "burn", "acme/1").status_code == 400


def test_many_are_given_orders_only_by_who_may_and_release_no_whole_account(shown: Shown) -> None:
    whole = Hold(ref=TicketRef("acme", "2"), scope="account", why="too much", since=1)
    with shown.store.writing() as connection:
        holds.put_hold(connection, whole)
    with shown.logged_in("dana", "operator") as client:
        assert "all of acme: too much" in client.get("/now").text
        given(client, "release", "acme/", "acme")
        with shown.store.reading() as connection:
            assert holds.every(connection) == (whole,)
    with shown.logged_in("vera", "viewer") as client:
        word = csrf(client, "/now")
        said = {"csrf": word, "verb": "acknowledge", "t:acme/1": "urgent-unanswered"}
        assert client.post("/now/orders", data=said).status_code == 403
        assert "<button" not in client.get("/now").text.split("<tbody>")[1].split("</tbody>")[0]


def test_views_are_kept_for_each_user_and_lead_back(shown: Shown) -> None:
    with shown.logged_in("dana", "viewer") as client:
        word = csrf(client, "/now")
        said = {"csrf": word, "name": "<Late> & mine", "back": "mine=yes&state=overdue&from=100&evil=1"}
        assert client.post("/views", data=said).headers["location"] == "/now?state=overdue&mine=yes&said=view"
        text = client.get("/now").text
        assert "&lt;Late&gt; &amp; mine</a>" in text
        where = re.search(r'<a href="([^"]+)">&lt;Late', text)
        assert where is not None
        assert parse_qs(urlsplit(unescape(where[1])).query) == {"state": ["overdue"], "mine": ["yes"]}
        for name in ("", "x" * 61, "a\nb"):
            assert client.post("/views", data=said | {"name": name}).status_code == 400
        with shown.logged_in("vera", "viewer") as other:
            assert "&lt;Late" not in other.get("/now").text
        assert client.post("/views", data={"csrf": word, "forget": "<Late> & mine"}).status_code == 303
        assert "&lt;Late" not in client.get("/now").text
        for number in range(31):
            last = client.post("/views", data=said | {"name": f"n{number}"})
        assert last.status_code == 400


@pytest.mark.parametrize(
    "asked",
    [
        {"state": "gone"},
        {"sort": "colour"},
        {"account": "none"},
        {"mode": "some"},
        {"mine": "no"},
        {"q": "x" * 201},
        {"from": "-1"},
        {"from": "9999999"},
    ],
)
def test_what_cannot_be_asked_is_said(asked: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(asked))):
        _ = wanted_of(asked, ("acme",), ()), start_of(asked)
