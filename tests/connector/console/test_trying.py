"""A change of a policy is tried on an archive, from the page, in a process of its own: 60 minutes instead of 30."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from connector.console.commands import Refused
from connector.console.trying import UNSEEN, Trying, found_in, toml_of, whole
from tests.connector.console.conftest import Shown, beside, csrf
from tests.connector.test_archive import archived, pulling
from tests.patience import until

POLICY = "urgent-unanswered"


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shown, httpx.Client, Path]]:
    folder: Path = tmp_path_factory.mktemp("trying")
    with beside(folder) as shown:
        with archived(shown.here, folder) as archive:
            pulling(shown.here, archive).run()
        with shown.logged_in("olga", "operator") as client:
            yield shown, client, folder


def written(shown: Shown) -> str:
    """The policy as a file has it."""
    return toml_of(shown.here.service.parts.rules().policies.policies[0].text)


def test_what_another_time_would_have_done_is_shown_and_nothing_is_written(
    tried: tuple[Shown, httpx.Client, Path],
) -> None:
    shown, client, folder = tried
    before = {path.name: path.read_bytes() for path in folder.glob("*.toml")}
    form = client.get("/policies/try", params={"policy": POLICY}).text
    assert "after = &#34;30m&#34;" in form
    text = written(shown).replace('"30m"', '"60m"')
    said = {"policy": POLICY, "text": text, "csrf": csrf(client)}
    went = client.post("/policies/try", data=said)
    assert went.status_code == 303, went.text
    page = client.get(went.headers["location"])
    assert page.headers["Refresh"] == "2" or "What would have been" in page.text

    def is_over() -> bool:
        return "Refresh" not in client.get(went.headers["location"]).headers

    until(is_over)
    page = client.get(went.headers["location"])
    assert "What would have been" in page.text, page.text
    row = re.search(
        r"Second line</td>\s*<td[^>]*>(\d+)</td><td[^>]*><span><strong>(\d+)</strong> \((.\d)\)", page.text
    )
    assert row is not None, page.text
    assert (row[1], row[2], row[3]) == ("1", "0", "-1")
    assert "only as it is: 1" in page.text
    assert "after = &#34;60m&#34;" in page.text  # to be changed further
    assert {path.name: path.read_bytes() for path in folder.glob("*.toml")} == before
    assert shown.here.service.parts.rules().policies.policies[0].levels[0].after == 1800


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[policy]\n", "This is no TOML"),
        ('[[policy]]\nname = "urgent-unanswered"\nclock = "soon"\n', "unknown-clock"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(
    tried: tuple[Shown, httpx.Client, Path], text: str, says: str
) -> None:
    _, client, _ = tried
    found = client.post("/policies/try", data={"policy": POLICY, "text": text, "csrf": csrf(client)})
    assert found.status_code == 200
    assert says in found.text
    assert "Refresh" not in found.headers


def test_only_operators_try(tried: tuple[Shown, httpx.Client, Path]) -> None:
    shown, _, _ = tried
    with shown.logged_in("vera", "viewer") as client:
        assert client.get("/policies/try", params={"policy": POLICY}).status_code == 403
        assert "try a change" not in client.get("/policies").text
        said = {"policy": POLICY, "text": "", "csrf": "x"}
        assert client.post("/policies/try", data=said).status_code == 403


def test_one_at_a_time_and_it_ends_when_cancelled_or_when_nobody_looks(
    tried: tuple[Shown, httpx.Client, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, _, folder = tried
    monkeypatch.setattr("connector.console.trying.UPTIER", "import time; time.sleep(600)")
    running, now = shown.here.service.parts.rules().policies, [0.0]
    trying = Trying(store=shown.store, config=folder / "uptier.toml", ticks=lambda: now[0])
    ends: tuple[tuple[Callable[[], None], str], ...] = (
        (trying.cancel, "it was cancelled"),
        (lambda: now.__setitem__(0, now[0] + UNSEEN + 1), "nobody looked"),
    )
    for end, says in ends:
        trying.begin(POLICY, written(shown), "olga", running)
        with pytest.raises(Refused, match="olga tries a change"):
            trying.begin(POLICY, written(shown), "dana", running)
        end()
        until(lambda: trying._trial is not None and not trying._trial.progress)
        found = trying.shown()
        assert found is not None
        assert says in found.trouble


def test_without_a_config_or_an_archive_nothing_is_tried(tried: tuple[Shown, httpx.Client, Path]) -> None:
    shown, _, _ = tried
    trying = Trying(store=shown.store, config=None)
    assert trying.past() is None
    with pytest.raises(Refused, match="no archive"):
        trying.begin(POLICY, "", "olga", shown.here.service.parts.rules().policies)


def test_one_policy_is_replaced_and_the_others_stay(tried: tuple[Shown, httpx.Client, Path]) -> None:
    running = tried[0].here.service.parts.rules().policies
    assert whole(running, {}) == toml_of(running.policies[0].text) + "\n"
    assert whole(running, {POLICY: "[[policy]]"}) == "[[policy]]\n"


def test_levels_that_differ_come_first() -> None:
    def fired(policy: str, needless: bool) -> dict[str, object]:
        return {"policy": policy, "level": "L", "false_alarm": needless}

    said = {
        "tickets": 9,
        "incomplete": {"tickets": 2},
        "firings": [fired("a", False), fired("b", True)],
        "against": {"firings": [fired("a", True), fired("b", False), fired("b", True)]},
        "differences": [
            {"account": "acme", "ticket": "1", "policy": "b", "level": "L", "how": "only in the other",
             "before": {"at": 5}, "after": None}
        ],
    }  # fmt: skip
    found = found_in(said)
    assert [
        (each.policy, each.today, each.changed, each.false_today, each.false_changed) for each in found.levels
    ] == [
        ("b", 2, 1, 1, 1),
        ("a", 1, 1, 1, 0),
    ]
    assert (found.hows, found.differing) == ((("only in the other", 1),), 1)
    assert (found.otherwise[0].before, found.otherwise[0].after) == (5, None)
