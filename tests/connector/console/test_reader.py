"""Times in the zone of whoever reads, and UTC behind them."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from connector.console import reader
from connector.store import users
from tests.connector.console.conftest import Shown, csrf

TIME = re.compile(r'<time datetime="([^"]+)" title="([^"]+)">([^<]+)</time>')
PAGES = (
    "/now",
    "/due",
    "/tickets/acme/1",
    "/policies",
    "/ledger",
    "/health",
    "/tokens",
    "/settings",
    "/wall",
)


def test_times_are_those_of_the_reader_and_utc_stands_behind_them(shown: Shown) -> None:
    shown.here.clock.advance(60)
    with shown.logged_in("dana", "viewer") as client:

        def times(path: str) -> list[tuple[str, str, str]]:
            found = TIME.findall(client.get(path).text)
            assert found, path
            return found

        at, behind, told = times("/ledger")[1]
        assert (behind, told) == (f"{at[:10]} {at[11:19]} UTC",) * 2  # nobody has said a zone
        word = csrf(client, "/settings")
        wrong = client.post("/settings", data={"csrf": word, "zone": "Mars/Olympus"})
        assert (wrong.status_code, "no time zone Mars/Olympus" in wrong.text) == (400, True)
        kept = client.post("/settings", data={"csrf": word, "zone": "Asia/Kolkata"})
        assert kept.headers["location"] == "/settings?said=settings"
        assert "<option selected>Asia/Kolkata</option>" in client.get("/settings").text
        for path in PAGES:
            for at, behind, told in times(path):
                utc = datetime.strptime(at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
                here = utc.astimezone(ZoneInfo("Asia/Kolkata")).strftime("%Y-%m-%d %H:%M:%S IST")
                assert behind == f"{here}; {utc:%Y-%m-%d %H:%M:%S} UTC"
                assert "IST" not in told or told in (here, here[11:16] + " IST", here[:16] + " IST")
            text = re.sub(r"<(time|pre|figure)\b.*?</\1>", "", client.get(path).text, flags=re.DOTALL)
            alone = re.search(r"\d\d:\d\d(:\d\d)?\b(?!:| [A-Z]{2,5}\b)", text.split("<main")[1])
            assert alone is None, (path, alone)  # what explains a policy says its calendar's zone


def test_the_browsers_zone_is_taken_where_somebody_chose_none(shown: Shown) -> None:
    with shown.logged_in("dana", "viewer") as client:
        for said, told in (("America%2FNew_York", "E[SD]T"), ("../../etc/passwd", "UTC"), ("", "UTC")):
            client.cookies.set(reader.ZONE_COOKIE, said)
            assert re.search(r"as of <time[^>]*>[^<]* " + told, client.get("/now").text), said
        with shown.store.writing() as connection:
            users.set_reading(connection, "dana", zone="UTC", language="")
        client.cookies.set(reader.ZONE_COOKIE, "America%2FNew_York")
        assert " UTC<" in client.get("/now").text


def test_a_new_password_keeps_what_somebody_chose(shown: Shown) -> None:
    shown.user("dana", "viewer")
    with shown.store.writing() as connection:
        users.set_reading(connection, "dana", zone="Europe/Berlin", language="de")
    shown.user("dana", "operator")
    with shown.store.reading() as connection:
        user = users.get(connection, "dana")
    assert user is not None
    assert (user.zone, user.language) == ("Europe/Berlin", "de")
