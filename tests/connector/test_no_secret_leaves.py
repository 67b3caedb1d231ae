"""What is secret stays out of the database, the log, the metrics and every error."""

import io
from pathlib import Path

import httpx
import pytest

from connector import logs
from connector.logs import Masker
from tests.connector.each import EACH, each
from tests.connector.test_metrics import free_address


@pytest.mark.parametrize("vendor", EACH)
def test_no_secret_leaves(vendor: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    address = free_address()
    said = io.StringIO()
    with each(vendor, tmp_path, service=f'metrics = "{address}"') as one:
        secrets = list(one.desk.secrets().values())
        logs.configure(Masker(), one.clock, said)  # knows no secret, so it can mask none
        echo = {"status": 500, "body": " ".join(secrets), "headers": {"X-Echo": secrets[0]}}
        for method, path in (("GET", "*"), ("P*", "*")):
            one.fault("answer", method=method, path=path, times=3, **echo)
        one.opened("one")
        one.clock.advance(31 * 60)
        one.rounds(until=4, every=1)
        one.fault("answer", method="*", path="*", times=None, **(echo | {"status": 401}))
        one.rounds(until=4, every=1)
        url = one.service.start()
        httpx.post(
            f"{url}/hooks/{one.desk.account}", content=secrets[0], headers={"Authorization": secrets[0]}
        )
        metrics = httpx.get(f"http://{address}/metrics").text
        ready = httpx.get(f"{url}/readyz").text
        one.service.stop()
        kept = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.suffix != ".toml")
    assert one.applied()
    for secret in secrets:
        assert secret.encode() not in kept
        assert secret not in said.getvalue() + caplog.text + metrics + ready
