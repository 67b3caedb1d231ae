"""Settings that cannot work are refused before anything is sent."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from adapters.contract.sandbox import RecordingGate
from adapters.freshdesk import factory
from adapters.freshdesk.vendor import VENDOR
from tests.adapters.freshdesk.world import account

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"auth": {"kind": "bearer", "token": "secret:x"}}, "unknown"),
        ({"auth": {}}, "unknown"),
        ({"auth": {"kind": "key"}}, "lacks key"),
        ({"url": "acme.freshdesk.com"}, "should be https"),
        ({"url": "ftp://acme.freshdesk.com"}, "should be https"),
        ({"url": "https://acme.freshdesk.com/a/tickets"}, "should be https"),
        ({"url": "https://acme.freshdesk.com?x=1"}, "should be https"),
        ({"url": "https://me:pw@acme.freshdesk.com"}, "should be https"),
        ({"url": "https://"}, "should be https"),
        ({"webhook": {"user": "uptier"}}, "a user and a password"),
        ({"webhook": {"password": "secret:acme-webhook"}}, "a user and a password"),
        ({"webhook": {"secret": "secret:a", "user": "u", "password": "secret:b"}}, "a user and a password"),
        ({"secret": lambda _: ""}, "is empty"),
    ],
)
def test_a_wrong_setting_is_named(setting: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        factory(account(**setting), RecordingGate())


def test_a_right_account_sends_nothing_and_says_what_it_can() -> None:
    gate = RecordingGate()
    adapter = factory(account("https://acme.freshdesk.com/"), gate)
    assert gate.entered == []
    assert (adapter.name, adapter.capabilities.settle) == ("freshdesk", 1)
    assert not adapter.capabilities.hidden_mark
    assert not VENDOR.target_start
    assert "follow" not in adapter.capabilities.actions


def test_the_connector_can_find_both() -> None:
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    assert points["uptier.adapters"]["freshdesk"] == "adapters.freshdesk:factory"
    assert points["uptier.simulators"]["freshdesk"] == "adapters.freshdesk.simulator:create"


def test_the_simulator_does_not_load_what_it_is_a_check_on() -> None:
    lines = "import sys, adapters.freshdesk.simulator; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.split())
    assert "adapters.freshdesk.simulator" in loaded
    assert (
        not {"adapters.freshdesk.adapter", "adapters.freshdesk.ticket", "adapters.freshdesk.answers"} & loaded
    )
