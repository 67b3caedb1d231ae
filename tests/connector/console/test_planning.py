"""The page of the plan: shown to everybody, made and applied by operators, with the checks of every form."""

import re

import httpx

from tests.connector.console.conftest import Shown, csrf
from tests.patience import until


def made(client: httpx.Client, **asked: str) -> str:
    """The page once a plan that was asked for is there."""
    assert client.post("/plan", data={"csrf": csrf(client, "/plan")} | asked).status_code == 303
    until(lambda: "It is being made" not in client.get("/plan").text)
    return client.get("/plan").text


def hash_of(text: str) -> str:
    found = re.search(r'name="hash" value="([0-9a-f]{64})"', text)
    assert found is not None, text
    return found[1]


def test_an_operator_makes_a_plan_and_with_a_yes_the_service_does_it(shown: Shown) -> None:
    here = shown.here
    here.clock.advance(31 * 60)
    with shown.logged_in("dana", "operator") as client:
        assert "No plan has been made here yet" in client.get("/plan").text
        before = here.applied()
        text = made(client, policy="urgent-unanswered", account="acme")
        assert "acme/2" in text
        assert "Tier 1 → Tier 2" in text
        assert "customer waiting for" in text
        assert here.applied() == before
        word, plan = csrf(client, "/plan"), hash_of(text)
        assert client.post("/plan/apply", data={"csrf": word, "hash": "0" * 64}).status_code == 400
        assert client.post("/plan/apply", data={"csrf": word, "hash": plan}).status_code == 303
        assert "not done yet" in client.get("/plan").text
        here.round()
        after = client.get("/plan").text
        assert ">applied<" in after
        assert "Yes, do this" not in after
        assert here.show("two").notes == 1
        line = next(line for line in here.lines("two") if line.what == "plan applied")
        assert line.who == "dana"


def test_only_operators_make_and_apply_and_only_by_forms_of_ours(shown: Shown) -> None:
    shown.here.clock.advance(31 * 60)
    with shown.logged_in("dana", "operator") as client:
        plan, word = hash_of(made(client)), csrf(client, "/plan")
        for path in ("/plan", "/plan/apply"):
            data = {"csrf": word, "hash": plan}
            assert client.post(path, data=data | {"csrf": "wrong"}).status_code == 403
            evil = {"Origin": "https://evil.example"}
            assert client.post(path, data=data, headers=evil).status_code == 403
        assert client.post("/plan", data={"csrf": word, "policy": "none"}).status_code == 400
        assert client.post("/plan", data={"csrf": word, "account": "none"}).status_code == 400
    with shown.logged_in("vera", "viewer") as client:
        text = client.get("/plan").text
        assert "acme/2" in text
        assert "Yes, do this" not in text
        word = csrf(client, "/tickets/acme/1")
        assert client.post("/plan", data={"csrf": word}).status_code == 403
        assert client.post("/plan/apply", data={"csrf": word, "hash": plan}).status_code == 403
    assert shown.here.show("two").notes == 0


def test_a_plan_that_is_too_old_is_shown_and_not_applied(shown: Shown) -> None:
    shown.here.clock.advance(31 * 60)
    with shown.logged_in("dana", "operator") as client:
        plan = hash_of(made(client))
        shown.here.clock.advance(86400)
    with shown.logged_in("eli", "operator") as client:
        text = client.get("/plan").text
        assert "more than 24 hours ago" in text
        answer = client.post("/plan/apply", data={"csrf": csrf(client, "/plan"), "hash": plan})
        assert (answer.status_code, "24 hours" in answer.text) == (400, True)
