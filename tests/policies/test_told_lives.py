"""Lives that somebody else worked out from the rules alone, to the minute: `told_lives/README.md`."""

import json
from typing import Any

import pytest

from policies import evaluate as engine
from policies import replay as replaying
from tests.policies.told_lives import driver

LIVES: list[dict[str, Any]] = json.loads((driver.FOLDER / "lives.json").read_text(encoding="utf-8"))
EXPECTED: dict[str, Any] = json.loads((driver.FOLDER / "expected.json").read_text(encoding="utf-8"))
HOURS = 8 * 60
WAYS = {
    "as told": driver.Options(),
    "standings cut": driver.Options(cut=True),
    "looked at twice": driver.Options(twice=True),
    "at every minute": driver.Options(minutes=HOURS),
}


@pytest.fixture(scope="module")
def rules() -> Any:
    return driver.load_rules(driver.FOLDER)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("life", LIVES, ids=lambda life: life["id"])
def test_a_told_life(life: dict[str, Any], way: str, rules: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "agree", driver.capturing)
    if WAYS[way].cut:
        monkeypatch.setattr(replaying, "evaluate", driver.cutting)
    lines, _ = driver.play(life, *rules, EXPECTED[life["id"]], WAYS[way])
    assert lines == [], life["why"]


def test_every_life_has_its_answer() -> None:
    assert {each["id"] for each in LIVES} == EXPECTED.keys()
