"""The console in a real browser: every page, the live update, the keyboard alone, accessibility, no other host.

Debian's Chromium, driven by playwright; skipped where it is not installed. With UPTIER_TEST_PICTURES set to a folder,
pictures of every page at the width of a phone and of a desk are put there.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.store import ledger, users
from connector.store.ledger import LedgerEntry
from tests.connector.console.conftest import PASSWORD, Shown

CHROMIUM = shutil.which("chromium")
PICTURES = os.environ.get("UPTIER_TEST_PICTURES")
AXE = (Path(__file__).parent / "axe-4.14.1.min.js").read_text(encoding="utf-8")
PAGES = (
    "/",
    "/now",
    "/due",
    "/tickets/acme/1",
    "/policies",
    "/plan",
    "/matrix",
    "/reports",
    "/ledger",
    "/health",
    "/tokens",
)
HEARD = """document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.defaultPrevented) console.log("held back"); })"""
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any, shown: Shown) -> Iterator[Any]:
    """A window that remembers what went wrong in it and whom it asked."""
    context = browser.new_context(base_url=shown.url, viewport={"width": 1280, "height": 900})
    shown.user("olga", "operator")
    with shown.client() as client:
        client.post("/login", data={"name": "olga", "password": PASSWORD})
        context.add_cookies(
            [{"name": name, "value": value, "url": shown.url} for name, value in client.cookies.items()]
        )
    page = context.new_page()
    page.wrong, page.asked = [], []
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("console", lambda said: page.wrong.append(said.text) if said.type == "error" else None)
    page.on("request", lambda request: page.asked.append(request.url))
    yield page
    context.close()
    hosts = {url.split("/")[2] for url in page.asked if not url.startswith(("data:", "about:"))}
    assert hosts <= {shown.url.removeprefix("http://")}
    assert page.wrong == []


def accessible(page: Any) -> list[str]:
    """What axe finds wrong with the page."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {iframes: false})")
    return [f"{each['id']}: {node['html'][:120]}" for each in found["violations"] for node in each["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_asks_no_other_host(page: Any, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    for path in PAGES:
        page.goto(path)
        assert page.locator("h1").count() == 1
        assert accessible(page) == [], path


def test_every_page_fits_a_phone_and_a_desk(page: Any) -> None:
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        for path in PAGES:
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            if PICTURES:
                name = path.strip("/").replace("/", "-") or "now"
                page.screenshot(path=f"{PICTURES}/{name}-{width}.png", full_page=True)


def test_what_changes_appears_by_itself(page: Any, shown: Shown) -> None:
    page.goto("/now")
    page.wait_for_selector("td:has-text('Second line')")
    shown.here.opened("fresh")
    shown.here.round(1)
    page.wait_for_selector("text=About fresh", timeout=10_000)


def test_what_somebody_types_is_not_taken_away_by_the_next_change(page: Any, shown: Shown) -> None:
    page.goto("/now")
    reason = page.locator("#q")
    reason.type("the customer ")
    shown.here.opened("fresh")
    with page.expect_event("console", lambda said: said.text == "held back"):
        page.evaluate(HEARD)
        shown.here.round(1)
    reason.type("asked for it")
    assert reason.input_value() == "the customer asked for it"
    page.locator("h1").click()
    page.wait_for_selector("text=About fresh", timeout=10_000)


def test_who_stands_on_a_button_still_stands_there_after_a_change(page: Any, shown: Shown) -> None:
    page.goto("/now")
    page.locator("button[value=acknowledge]").focus()
    stood = page.evaluate("document.activeElement.id")
    shown.here.opened("fresh")
    shown.here.round(1)
    page.wait_for_selector("text=About fresh", timeout=10_000)
    assert page.evaluate("document.activeElement.id") == stood != ""


def test_the_login_is_accessible(page: Any, shown: Shown) -> None:
    page.context.clear_cookies()
    page.goto("/now")
    assert page.locator("h1").inner_text() == "Log in"
    assert accessible(page) == []


def test_the_first_administrator_needs_no_mouse(page: Any, shown: Shown) -> None:
    with shown.store.writing() as connection:
        users.remove(connection, "olga")
    page.context.clear_cookies()
    page.goto(shown.here.service.invitation())
    assert accessible(page) == []
    for word in ("ann", PASSWORD):
        page.keyboard.type(word)
        page.keyboard.press("Tab" if word == "ann" else "Enter")
    page.wait_for_selector("h1:text('Overview')")
    assert page.locator("header").get_by_text("ann, admin").count() == 1


def test_the_keyboard_alone_acknowledges(page: Any, shown: Shown) -> None:
    """Without keys of one letter: by the tabulator, the space bar and Enter."""
    shown.user("dana", "operator")
    page.context.clear_cookies()
    page.goto("/now")
    for word in ("dana", PASSWORD):
        page.keyboard.type(word)
        page.keyboard.press("Tab" if word == "dana" else "Enter")
    page.wait_for_selector("header summary")
    page.goto("/now")
    for until in ("x:acme/1", "b:acknowledge"):
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == until:
                break
        page.keyboard.press("Space")
    page.wait_for_selector("text=1 given and carried out with the next look")
    shown.here.round(1)
    page.wait_for_selector("text=1 done, 0 given", timeout=10_000)
    assert [line.who for line in shown.here.lines("one") if line.what == "acknowledged"] == ["dana"]


def test_keys_move_select_and_act_and_ask_for_a_reason(page: Any, shown: Shown) -> None:
    page.goto("/now")
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    assert accessible(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.id") == "to:acme/1"
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("x")
    assert page.locator("#chosen").inner_text() == "Selected: 1"
    page.keyboard.press("s")
    assert page.locator("#why").is_visible()
    assert accessible(page) == []
    page.keyboard.type("she asked for quiet")
    page.keyboard.press("Tab")
    page.keyboard.type("2h")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=1 given and carried out with the next look")
    assert page.locator("tr", has_text="acme/1").locator(".tag").inner_text() == "Snooze: Given"
    shown.here.round(1)
    page.wait_for_selector("tr:has-text('acme/1') .state.snoozed", timeout=10_000)
    assert shown.here.whats("one")[-1] == "snoozed"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("jx?")
    assert page.locator("#q").input_value() == "jx?"


def test_one_refused_does_not_stop_the_others(page: Any, shown: Shown) -> None:
    """The second has had no level yet: there is nothing to acknowledge."""
    page.goto("/now")
    for number in "12":
        page.locator(f"[id='x:acme/{number}']").check()
    page.keyboard.press("a")
    page.wait_for_selector("text=1 given and carried out with the next look, 1 refused")
    assert page.locator(".said li").inner_text() == "acme/2: no level has fired yet"
    assert page.locator("tr", has_text="acme/2").locator(".tag").inner_text() == "Acknowledge: Refused"


def test_keys_of_one_letter_can_be_done_without(page: Any) -> None:
    page.goto("/now")
    page.keyboard.press("?")
    page.locator("#no-keys").check()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert page.locator("tr.here").count() == 0


def test_a_stranger_reads_who_owns_it_why_and_what_comes_next(page: Any) -> None:
    page.goto("/now")
    page.get_by_role("link", name="acme/1").first.click()
    said = page.locator("main").inner_text()
    assert "Tier 2" in said
    assert "What happens next: Duty managers in" in said
    assert "customer_waiting" in said
    assert "Tier 2 owns it: level “Second line” of policy urgent-unanswered fired" in said
    level = page.locator("details.sum summary", has_text="Duty managers").first
    assert "counts from" not in said
    level.focus()
    page.keyboard.press("Enter")
    page.locator("details.sum[open] li", has_text="counts from").first.wait_for()


def test_the_matrix_is_a_picture_and_a_figure_leads_to_its_list(page: Any) -> None:
    page.goto("/matrix")
    image = page.locator(".picture img").first
    image.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.picture img').naturalWidth > 900")
    page.goto("/")
    page.get_by_role("link", name="Escalated: 1").press("Enter")
    page.wait_for_url("**/now?*")
    page.goto("/reports")
    page.get_by_text("What to change").wait_for()


def test_a_long_ledger_is_still_one_page(page: Any, shown: Shown) -> None:
    with shown.store.writing() as connection:
        ledger.append(
            connection,
            [
                LedgerEntry(at=1, account="acme", ticket="1", what="warning", text="x" * 200)
                for _ in range(500)
            ],
        )
    page.goto("/ledger")
    assert page.locator("tbody tr").count() == 200
