"""The page of an undo: shown to everybody, done by operators, with the checks of every form."""

import re

from tests.connector.console.conftest import Shown, csrf

KEY = "acme/1:urgent-unanswered:1"


def digest_of(text: str) -> str:
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', text)
    assert found is not None, text
    return found[1]


def test_an_operator_sees_what_goes_back_and_takes_it_back_and_that_too(shown: Shown) -> None:
    here = shown.here
    here.clock.advance(60)
    with shown.logged_in("dana", "operator") as client:
        assert f'href="/undo?episode={KEY.replace(":", "%3A")}"' in client.get("/tickets/acme/1").text
        assert "/undo?policy=urgent-unanswered" in client.get("/policies").text
        for asked in ({"episode": KEY}, {"policy": "urgent-unanswered", "since": "-2h"}):
            text = client.get("/undo", params=asked).text
            assert "Tier 2 / nobody → Tier 1 / nobody" in text
            assert "a note of level" in text
            assert "which ends" in text
        word = csrf(client, f"/undo?episode={KEY}")
        said = {"csrf": word, "episode": KEY, "digest": digest_of(text)}
        assert client.post("/undo", data=said).status_code == 400, "no reason"
        old = said | {"reason": "a mistake", "digest": "0" * 64}
        assert client.post("/undo", data=old).status_code == 400
        answer = client.post("/undo", data=said | {"reason": "a mistake"})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/undo?said=undo")
        assert "an undo is under way" in client.get("/undo", params={"episode": KEY}).text
        here.round(0.5)
        here.round(0.5)
        assert here.show("one").group == "Tier 1"
        assert next(line for line in here.lines("one") if line.what == "undone").who == "dana"
        text = client.get("/undo", params={"episode": f"{KEY}:undo"}).text
        assert "Tier 1 / nobody → Tier 2 / nobody" in text


def test_only_operators_undo_and_only_by_forms_of_ours(shown: Shown) -> None:
    shown.here.clock.advance(60)
    with shown.logged_in("dana", "operator") as client:
        digest, word = digest_of(client.get("/undo", params={"episode": KEY}).text), csrf(client)
        said = {"csrf": word, "episode": KEY, "digest": digest, "reason": "a mistake"}
        assert client.post("/undo", data=said | {"csrf": "wrong"}).status_code == 403
        evil = {"Origin": "https://evil.example"}
        assert client.post("/undo", data=said, headers=evil).status_code == 403
        assert client.get("/undo", params={"episode": "acme/1:none:1"}).status_code == 400
        assert client.get("/undo", params={"policy": "none", "since": "yesterday"}).status_code == 400
    with shown.logged_in("vera", "viewer") as client:
        text = client.get("/undo", params={"episode": KEY}).text
        assert "Tier 2 / nobody" in text
        assert "Yes, take it back" not in text
        word = csrf(client, "/policies")
        assert client.post("/undo", data=said | {"csrf": word}).status_code == 403
    assert shown.here.whats("one").count("undone") == 0
