"""Settings that cannot work are refused before anything is sent."""

import subprocess
import sys
from importlib.metadata import entry_points
from typing import Any

import pytest

from adapters.contract.sandbox import RecordingGate
from adapters.zendesk import factory
from adapters.zendesk.vendor import VENDOR
from adapters.zendesk.webhooks import PUBLIC_SECRET
from tests.adapters.zendesk.world import account


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"auth": {"kind": "oauth"}}, "lacks client_id and client_secret"),
        ({"auth": {"kind": "password"}}, "unknown"),
        ({"auth": {}}, "unknown"),
        ({"auth": {"kind": "bearer"}}, "lacks token"),
        ({"auth": {"kind": "token"}}, "lacks user and token"),
        ({"auth": {"kind": "token", "token": "secret:acme-token"}}, "lacks user"),
        ({"url": "acme.zendesk.com"}, "should be https"),
        ({"url": "ftp://acme.zendesk.com"}, "should be https"),
        ({"url": "https://acme.zendesk.com/agent"}, "should be https"),
        ({"url": "https://acme.zendesk.com?x=1"}, "should be https"),
        ({"url": "https://me:pw@acme.zendesk.com"}, "should be https"),
        ({"url": "http://localhost:9101"}, "needs a dot"),
        ({"secret": lambda _: PUBLIC_SECRET}, "public test secret"),
        ({"secret": lambda _: ""}, "empty"),
    ],
)
def test_a_wrong_setting_is_named(setting: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        factory(account(**setting), RecordingGate())


def test_a_right_account_sends_nothing_and_says_what_it_can() -> None:
    gate = RecordingGate()
    adapter = factory(account("https://acme.zendesk.com/"), gate)
    assert gate.entered == []
    assert adapter.name == "zendesk"
    assert adapter.capabilities.settle == 1
    assert adapter.capabilities.hidden_mark
    assert not VENDOR.target_start


def test_the_connector_finds_it() -> None:
    (point,) = entry_points(group="uptier.adapters", name="zendesk")
    assert point.load() is factory


def test_the_simulator_does_not_load_what_it_is_a_check_on() -> None:
    lines = "import sys, adapters.zendesk.simulator; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "adapters.zendesk.simulator" in loaded
    assert not {"zenpy", "adapters.zendesk.adapter", "adapters.zendesk.ticket"} & loaded
