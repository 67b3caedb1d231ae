"""Settings that cannot work are refused before anything is sent."""

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from adapters.contract.sandbox import RecordingGate
from adapters.servicenow import factory
from adapters.servicenow.vendor import VENDOR
from tests.adapters.servicenow.world import account

PROJECT = Path(__file__).parents[3] / "pyproject.toml"


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"auth": {"kind": "bearer"}}, "unknown"),
        ({"auth": {}}, "unknown"),
        ({"auth": {"kind": "basic"}}, "lacks user and password"),
        ({"auth": {"kind": "basic", "user": "a"}}, "lacks password"),
        ({"auth": {"kind": "key"}}, "lacks key"),
        ({"auth": {"kind": "oauth", "client_id": "a"}}, "lacks client_secret"),
        (
            {"auth": {"kind": "oauth", "client_id": "a", "client_secret": "secret:client", "user": "b"}},
            "lacks password",
        ),
        ({"url": "acme.service-now.com"}, "should be https"),
        ({"url": "ftp://acme.service-now.com"}, "should be https"),
        ({"url": "https://acme.service-now.com/now"}, "should be https"),
        ({"url": "https://me:pw@acme.service-now.com"}, "should be https"),
        ({"secret": lambda _: ""}, "webhook.secret is empty"),
        ({"settings": {"tabel": "incident"}}, "unknown setting tabel"),
        ({"settings": {"table": "task"}}, "has all tables below it"),
        ({"settings": {"table": "incident^active=true"}}, "not the name of a table"),
        ({"settings": {"table": 7}}, "not the name of a table"),
        ({"settings": {"tags": "state"}}, "tags cannot be kept in state"),
        ({"settings": {"tags": "sys_tags"}}, "tags cannot be kept in sys_tags"),
        ({"settings": {"tags": "a,b"}}, "not the name of a table or column"),
        ({"settings": {"priority": "often"}}, "priority 'often' is unknown"),
        ({"settings": {"matrix": {"1/1": 1}}}, "matrix should map"),
        ({"settings": {"matrix": {"1-1": "1"}}}, "matrix should map"),
        ({"settings": {"matrix": {}}}, "matrix should map"),
        ({"settings": {"states": {"-2": "waiting"}}}, "states should map"),
        ({"settings": {"states": 3}}, "states should map"),
        ({"settings": {"overlap": -1}}, "overlap"),
        ({"settings": {"overlap": True}}, "overlap"),
        ({"settings": {"timeout": 1}}, "timeout"),
        ({"settings": {"allow_unstamped": "yes"}}, "allow_unstamped"),
        ({"settings": {"requester": "a^b"}}, "requester should name columns"),
        ({"fields": {"product": "priority"}}, "governs it"),
        ({"fields": {"product": "sys_mod_count"}}, "governs it"),
        ({"fields": {"product": "u_a^u_b"}}, "not the name of a table or column"),
    ],
)
def test_a_wrong_setting_is_named(setting: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        factory(account(**setting), RecordingGate())


def test_a_right_account_sends_nothing_and_says_what_it_can() -> None:
    gate = RecordingGate()
    settings = {
        "table": "sc_task",
        "tags": "u_tags",
        "priority": "derived",
        "matrix": {"1-1": 1},
        "states": {"-2": "pending"},
        "overlap": 0,
    }
    adapter = factory(account("https://acme.service-now.com/", settings=settings), gate)
    assert gate.entered == []
    assert adapter.name == "servicenow"
    assert adapter.capabilities.settle == 0
    assert VENDOR.target_start
    assert not adapter.capabilities.hidden_mark


def test_the_connector_can_find_it() -> None:
    project = PROJECT.read_text(encoding="utf-8")
    assert 'servicenow = "adapters.servicenow:factory"' in project
    assert 'servicenow = "adapters.servicenow.simulator:create"' in project
    points = entry_points(group="uptier.adapters", name="servicenow")
    assert all(point.load() is factory for point in points)


def test_the_simulator_does_not_load_what_it_is_a_check_on() -> None:
    lines = "import sys, adapters.servicenow.simulator; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "adapters.servicenow.simulator" in loaded
    assert (
        not {"adapters.servicenow.adapter", "adapters.servicenow.answers", "adapters.servicenow.profile"}
        & loaded
    )
