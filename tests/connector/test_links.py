"""Links in messages with which people act, over real sockets: looked at they do nothing, clicked they order once."""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from connector import logs
from connector.config.settings import load
from connector.logs import Masker
from connector.store import inbox, schema
from connector.store.users import Role
from connector.work.links import digest
from policies.model import TicketRef
from tests.connector.beside import SECRETS, Beside, beside
from tests.connector.console.conftest import PASSWORD, csrf
from tests.connector.listening import Channel, listening

KEY = "a key that the whole fleet shares"
SERVICE = 'outside = "http://127.0.0.1:9"\nlink_key = "secret:links"'
POLICIES = """
[channels.dana-phone]
url = "secret:dana-phone"
template = "act"
[channels.leads]
url = "secret:leads-slack"
template = "act"
[people."dana@acme.test"]
channels = ["dana-phone"]
[templates.act]
en = "{{ level.name }} A {{ links.acknowledge }} S {{ links.snooze }} P {{ links.approve }} R {{ links.reject }}"
[[policy]]
name = "waits"
clock = "customer_waiting"
stop_on = ["agent_reply"]
[policy.when]
status = ["new", "open"]
[[policy.level]]
name = "one"
after = "30m"
owner = "dana@acme.test"
note = "act"
notify = ["owner", "leads"]
[[policy.level]]
name = "two"
after = "2h"
owner = "Duty"
assign = { group = "Duty" }
approval = { owner = "dana@acme.test", notify = ["owner"], within = "2h" }
"""


@dataclass
class Linked:
    """The service, the address of its console, and what the two channels hear."""

    one: Beside
    url: str
    phone: Channel
    leads: Channel
    log: io.StringIO

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url)

    @contextmanager
    def logged_in(self, name: str, role: Role) -> Iterator[httpx.Client]:
        self.one.service.make_user(name, role, PASSWORD)
        with self.client() as client:
            client.post("/login", data={"name": name, "password": PASSWORD})
            yield client

    def orders(self) -> list[tuple[str, str]]:
        """What waits for the ticket's next look."""
        with self.one.service.parts.store.reading() as connection:
            rows = inbox.open_rows(connection, TicketRef("acme", "1"))
        return [(row.order.verb, row.order.who) for row in rows if row.order is not None]

    def change(self, path: str, **values: Any) -> Callable[[], None]:
        """Write something else into a link's row; answers what puts it back."""
        one = schema.link.c.digest == digest(path.removeprefix("/act/"))
        store = self.one.service.parts.store
        with store.writing() as connection:
            before = (
                connection.execute(select(*(schema.link.c[name] for name in values)).where(one))
                .mappings()
                .one()
            )
            connection.execute(update(schema.link).where(one).values(**values))

        def back() -> None:
            with store.writing() as connection:
                connection.execute(update(schema.link).where(one).values(**before))

        return back


def links(text: str) -> dict[str, str]:
    """The paths of the links in a message, by their letter."""
    return dict(re.findall(r"\b([ASPR]) http://127\.0\.0\.1:9(/act/[0-9a-f]{64})\b", text))


@pytest.fixture
def linked(tmp_path: Path) -> Iterator[Linked]:
    with listening() as phone, listening() as leads, pytest.MonkeyPatch.context() as patch:
        patch.setitem(SECRETS, "UPTIER_SECRET_DANA_PHONE", phone.address)
        patch.setitem(SECRETS, "UPTIER_SECRET_LEADS_SLACK", leads.address)
        patch.setitem(SECRETS, "UPTIER_SECRET_LINKS", KEY)
        with beside(tmp_path, POLICIES, service=SERVICE) as one:
            log = io.StringIO()
            logs.configure(Masker(), one.clock, log)
            one.round()
            one.round(31)
            one.round(1)
            yield Linked(one=one, url=one.service._listen(), phone=phone, leads=leads, log=log)


def click(client: httpx.Client, path: str, **said: str) -> httpx.Response:
    return client.post(path, data={"csrf": csrf(client, path), **said})


def test_scanners_do_nothing_and_one_click_is_one_order(linked: Linked, tmp_path: Path) -> None:
    one, sent = linked.one, links(linked.phone.taken[-1]["message"])
    shared, noted = links(linked.leads.taken[-1]["message"]), links(one.notes()[-1])
    assert set(sent) == set(shared) == set(noted) == {"A", "S"}, "nobody is asked to approve"
    assert len({*sent.values(), *shared.values(), *noted.values()}) == 6
    before = one.whats()
    with linked.client() as scanner:
        for path in (*sent.values(), *shared.values(), *noted.values()):
            for _ in range(20):
                assert scanner.get(path).status_code == scanner.head(path).status_code == 200
    assert (linked.orders(), one.whats()) == ([], before)
    with linked.client() as client:
        page = client.get(sent["A"])
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert all(word in page.text for word in ("acme/1", "one", "Acknowledge", "dana@acme.test"))
        assert click(client, sent["A"], verb="reject", policy="other", level="two").status_code == 200
        assert linked.orders() == [("acknowledge", "dana@acme.test")]
        assert client.post(sent["A"], data={"csrf": "again"}).status_code == 410
    one.round(1)
    assert [line.who for line in one.lines() if line.what == "acknowledged"] == ["dana@acme.test"]
    words = [path.removeprefix("/act/") for path in (*sent.values(), *shared.values())]
    kept = b"".join(each.read_bytes() for each in tmp_path.glob("uptier.db*"))
    assert not any(word.encode() in kept for word in words), "only digests are kept"
    assert not any(word in linked.log.getvalue() for word in (*words, *noted.values()))


def test_a_snooze_says_why_and_is_not_used_up_before(linked: Linked) -> None:
    path = links(linked.phone.taken[-1]["message"])["S"]
    with linked.client() as client:
        assert click(client, path, **{"for": "2h"}).status_code == 400
        assert click(client, path, **{"for": "soon", "reason": "lunch"}).status_code == 400
        assert linked.orders() == []
        assert click(client, path, **{"for": "2h", "reason": "lunch"}).status_code == 200
        assert linked.orders() == [("snooze", "dana@acme.test")]
        linked.one.clock.advance(86400)
        over = client.get(links(linked.phone.taken[-1]["message"])["A"])
        assert (over.status_code, "its time is over" in over.text) == (410, True)


def test_a_shared_link_leads_to_the_login_and_orders_in_that_name(linked: Linked) -> None:
    path = links(linked.leads.taken[-1]["message"])["A"]
    word = path.removeprefix("/act/")
    linked.one.service.make_user("eli", "operator", PASSWORD)
    with linked.client() as client:
        assert "acme/1" not in client.get(path).text, "a stranger learns nothing of the ticket"
        answer = client.post("/login", data={"name": "eli", "password": PASSWORD, "word": word})
        assert (answer.status_code, answer.headers["location"]) == (303, path)
        there = {
            "origin": "null",
            "sec-fetch-site": "same-origin",
        }  # as Chromium says from a page without referrer
        form = {"csrf": csrf(client, path)}
        assert client.post(path, data=form, headers=there).status_code == 200
    assert linked.orders() == [("acknowledge", "eli")]


def test_who_is_asked_approves_by_a_link_until_the_deadline(linked: Linked) -> None:
    one = linked.one
    for _ in range(4):
        one.round(24)
    sent = links(linked.phone.taken[-1]["message"])
    assert {"P", "R"} <= set(sent)
    assert "A" not in sent
    with linked.client() as client:
        assert "two" in client.get(sent["P"]).text
        assert click(client, sent["P"]).status_code == 200
        one.round(1)
        one.round(1)
        assert [line.who for line in one.lines() if line.what == "approved"] == ["dana@acme.test"]
        assert client.get(sent["R"]).status_code == 410, "it is decided"


def test_forged_replayed_and_widened_links_order_nothing(linked: Linked) -> None:
    sent, shared = links(linked.phone.taken[-1]["message"]), links(linked.leads.taken[-1]["message"])
    good, word = sent["A"], sent["A"].removeprefix("/act/")
    other = "0" if word[-1] != "0" else "1"
    with linked.client() as mine, linked.client() as theirs, linked.logged_in("vera", "viewer") as viewer:
        form = {"csrf": csrf(mine, good)}
        snooze = {"csrf": csrf(mine, sent["S"]), "for": "2h", "reason": "x"}
        stranger = {"csrf": csrf(theirs, good)}
        attempts: dict[str, tuple[Callable[[], httpx.Response], int]] = {
            "one digit is another": (lambda: mine.post(f"/act/{word[:-1]}{other}", data=form), 410),
            "in capitals": (lambda: mine.post(f"/act/{word.upper()}", data=form), 410),
            "cut short": (lambda: mine.post(f"/act/{word[:-2]}", data=form), 410),
            "what the database keeps": (lambda: mine.post(f"/act/{digest(word)}", data=form), 410),
            "made up": (lambda: mine.post(f"/act/{'a' * 64}", data=form), 410),
            "no word of the form": (lambda: mine.post(good), 403),
            "another link's form": (lambda: mine.post(good, data=snooze), 403),
            "another browser's form": (lambda: mine.post(good, data=stranger), 403),
            "no cookie": (lambda: httpx.post(f"{linked.url}{good}", data=form), 403),
            "another site's page": (
                lambda: mine.post(good, data=form, headers={"origin": "https://evil.test"}),
                403,
            ),
            "a cross-site form": (
                lambda: mine.post(good, data=form, headers={"sec-fetch-site": "cross-site"}),
                403,
            ),
            "no origin, cross-site": (
                lambda: mine.post(
                    good, data=form, headers={"origin": "null", "sec-fetch-site": "cross-site"}
                ),
                403,
            ),
            "no origin that a browser vouches for": (
                lambda: mine.post(good, data=form, headers={"origin": "null"}),
                403,
            ),
            "another host": (lambda: mine.post(good, data=form, headers={"host": "evil.test"}), 403),
            "the form in the address": (lambda: mine.get(good, params=form), 200),
            "HEAD with a form": (lambda: mine.request("HEAD", good, data=form), 200),
            "PUT": (lambda: mine.put(good, data=form), 405),
            "DELETE": (lambda: mine.delete(good), 405),
            "a shared one without login": (lambda: mine.post(shared["A"], data=form), 403),
            "a shared one as a viewer": (lambda: viewer.post(shared["A"], data=form), 403),
            "a viewer's session for a person's": (lambda: viewer.post(good, data=form), 403),
        }
        for what, (attempt, status) in attempts.items():
            assert (what, attempt().status_code, linked.orders()) == (what, status, [])
        for changed in (
            {"verb": "approve"},
            {"account": "other"},
            {"ticket": "2"},
            {"policy": "other"},
            {"episode": "other"},
            {"level": "two"},
            {"channel": "leads"},
            {"person": "eli"},
            {"person": ""},
            {"until": 2**40},
        ):
            back = linked.change(good, **changed)
            assert (changed, mine.post(good, data=form).status_code, linked.orders()) == (changed, 410, [])
            back()
        assert mine.post(good, data=form).status_code == 200
        assert mine.post(good, data=form).status_code == 410, "used"
        assert linked.orders() == [("acknowledge", "dana@acme.test")]
        linked.one.round(1)
        assert viewer.get(shared["A"]).status_code == 410, "somebody has acknowledged it"
        linked.one.desk.agent_says(1, "Ann", "It is out.")
        linked.one.round(1)
        assert mine.post(sent["S"], data=snooze).status_code == 410, "it has ended"


def test_without_a_key_there_are_no_links_and_check_says_so(tmp_path: Path) -> None:
    path = tmp_path / "uptier.toml"
    account = '[accounts.acme]\nadapter = "zendesk"\nurl = "https://acme.zendesk.com"\n'
    account += 'auth = { kind = "bearer", token = "secret:acme-token" }\n'
    for service, warned in (
        ("", True),
        ('outside = "https://uptier.example"\n', True),
        ('outside = "https://uptier.example"\nlink_key = "secret:links"\n', False),
    ):
        path.write_text(f'[service]\n{service}default_owner = "Duty"\n{account}{POLICIES}', encoding="utf-8")
        found = [(each.severity, each.line) for each in load(path).problems if each.code == "no-links"]
        assert bool(found) is warned
        assert all(severity == "warning" for severity, _ in found)
