"""What Prometheus is told, over a real socket."""

import socket
from pathlib import Path

import httpx
import pytest

from connector.app.listener import CannotListen
from connector.store import accounts
from tests.connector.each import each
from tests.patience import until


def scraped(text: str) -> dict[str, float]:
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def test_the_numbers_of_a_level_that_fired_late(tmp_path: Path) -> None:
    address = free_address()
    with each("zendesk", tmp_path, service=f'metrics = "{address}"', skew=-90) as one:
        one.opened("one")
        one.round()
        one.service._show_metrics()
        one.round(40)
        one.fault("answer", method="*", path="*", status=401, times=None)
        one.round(1)
        told = scraped(httpx.get(f"http://{address}/metrics").text)
    assert told['uptier_ledger_lines_total{account="acme",what="fired"}'] == 1
    assert told['uptier_ledger_lines_total{account="acme",what="written"}'] == 1
    assert told['uptier_fired_late_seconds_bucket{account="acme",le="300.0"}'] == 0
    assert told['uptier_fired_late_seconds_sum{account="acme"}'] >= 600
    assert told['uptier_writes{state="done"}'] == 1
    assert told['uptier_account_paused{account="acme"}'] == 1
    assert told["uptier_queue_length"] == 0
    assert told["uptier_held"] == 0
    assert told['uptier_clock_skew_seconds{account="acme"}'] == -90
    assert any(name.startswith("uptier_budget_remaining") for name in told)


def test_webhooks_are_counted_by_their_answer(tmp_path: Path) -> None:
    with each("zendesk", tmp_path) as one:
        url = one.service.start()
        one.desk.subscribe(url)
        one.opened("one")
        httpx.post(f"{url}/hooks/acme", content=b"{}")
        one.desk.desk.hooks.deliver()
        one.desk.settle()
        one.service.stop()
        counted = {
            sample.labels["answer"]: sample.value
            for metric in one.service.metrics.webhooks.collect()
            for sample in metric.samples
            if sample.name.endswith("_total")
        }
    assert counted["401"] == 1
    assert counted["202"] >= 1


def test_why_a_process_is_not_ready_is_told_where_the_numbers_are_and_not_to_everybody(
    tmp_path: Path,
) -> None:
    address = free_address()
    with each("zendesk", tmp_path, service=f'metrics = "{address}"') as one:
        url = one.service.start()

        def everybody() -> tuple[int, str]:
            answer = httpx.get(f"{url}/readyz")
            return answer.status_code, answer.text

        until(lambda: everybody() == (200, '{"message":"ready"}'))
        one.service.parts.ailments.found("tick", KeyError("acme's odd ticket"))
        told = httpx.get(f"http://{address}/readyz")
        assert (told.status_code, told.json()["ready"]) == (200, True)
        assert "acme's odd ticket" in told.json()["failing"]["tick"]
        assert everybody() == (200, '{"message":"ready"}')
        with one.service.parts.store.writing() as connection:
            accounts.pause(connection, "acme", "the token was revoked", one.clock.now())
        until(lambda: httpx.get(f"http://{address}/readyz").status_code == 503)
        told = httpx.get(f"http://{address}/readyz")
        assert (told.status_code, told.json()["paused"]) == (503, {"acme": "the token was revoked"})
        assert everybody() == (503, '{"message":"not ready"}')
        assert "uptier_timers" in httpx.get(f"http://{address}/metrics").text
        one.service.stop()


def test_an_address_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with (
            each("zendesk", tmp_path, service=f'metrics = "{address}"') as one,
            pytest.raises(CannotListen, match="metrics"),
        ):
            one.service._show_metrics()
