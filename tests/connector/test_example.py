"""The example config is accepted as it stands, and shows every key there is."""

import tomllib
from pathlib import Path

from connector.config.settings import AccountSettings, Caps, Service, load
from policies.language.vocabulary import CHANNEL_KEYS

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


def test_the_example_is_accepted(tmp_path: Path) -> None:
    copy = tmp_path / "uptier.toml"
    copy.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    loaded = load(copy)
    assert [str(each) for each in loaded.problems if each.code != "no-file"] == []
    assert loaded.settings is not None
    assert loaded.policies is not None
    assert [policy.name for policy in loaded.policies.policies] == ["urgent-unanswered", "vip-forgotten"]


def test_the_example_writes_nothing_until_it_is_told_to(tmp_path: Path) -> None:
    assert tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))["service"]["mode"] == "observe"


def test_the_example_shows_every_key() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    keys = {*Service.model_fields, *Caps.model_fields, *AccountSettings.model_fields, *CHANNEL_KEYS}
    assert [key for key in sorted(keys) if f"{key} " not in text and f".{key}]" not in text] == []


def test_the_example_holds_no_secret() -> None:
    said = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))["accounts"]["acme"]
    assert said["auth"]["token"] == "secret:acme-token"
    assert said["webhook"]["secret"] == "secret:acme-webhook"
