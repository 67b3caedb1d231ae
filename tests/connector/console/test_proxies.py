"""nginx and Caddy in front of the console, from Debian's packages: with their stock configuration, and with
the recipes
of docs/operations.md. A proxy that is not installed is skipped; .ci/run installs both."""

import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import respx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.simulation.demo import WEBHOOK_SECRET
from adapters.zendesk.simulator.webhooks import signature
from connector.app.doctor import ask_outside, is_running
from connector.config.settings import load
from connector.console.access import TRIES
from connector.store import users
from tests.connector.console.conftest import PASSWORD, Shown, beside, csrf
from tests.connector.console.test_access import PAGES, STRANGERS, whats
from tests.patience import PATIENCE

OPERATIONS = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
NAME = "uptier.example"
RECIPE = f'outside = "https://{NAME}"\nproxies = ["127.0.0.1"]'
PROXIES = ("nginx", "caddy")
BODY = b'{"ticket_id": "1"}'


def recipe(language: str) -> str:
    """The block of this language in the docs."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", OPERATIONS, re.DOTALL)
    return str(found)


@dataclass(frozen=True)
class Front:
    """A proxy that listens, and what a client needs to trust it."""

    port: int
    certificate: Path | None

    def client(self, host: str = NAME, **headers: str) -> httpx.Client:
        """A browser that comes through the proxy under this name."""
        if self.certificate is None:
            return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers={"Host": host} | headers)
        trust = ssl.create_default_context(cafile=str(self.certificate))
        trust.check_hostname = False  # the name is not in any DNS
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}", headers={"Host": host} | headers, verify=trust
        )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate that only the test trusts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "proxy.pem", folder / "proxy.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return pem, secret


def nginx_stock(port: int, upstream: str, _pem: Path, _key: Path) -> str:
    return f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {upstream}; }} }}"


def nginx_recipe(port: int, upstream: str, pem: Path, key: Path) -> str:
    return (
        recipe("nginx")
        .replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
        .replace("/etc/ssl/uptier.example.pem", str(pem))
        .replace("/etc/ssl/uptier.example.key", str(key))
        .replace("http://127.0.0.1:8080", upstream)
    )


def caddy_stock(port: int, upstream: str, _pem: Path, _key: Path) -> str:
    return f"http://:{port} {{\n bind 127.0.0.1\n reverse_proxy {upstream}\n}}"


def caddy_recipe(port: int, upstream: str, pem: Path, key: Path) -> str:
    return (
        recipe("caddyfile")
        .replace(f"{NAME} {{", f"https://:{port} {{\n    bind 127.0.0.1\n    tls {pem} {key}")
        .replace("127.0.0.1:8080", upstream.removeprefix("http://"))
    )


def nginx_command(folder: Path, site: str) -> list[str]:
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; worker_processes 1; pid {folder}/pid; error_log stderr crit;\n"
        f"events {{}}\nhttp {{ access_log off; {places}\n{site}\n}}\n"
    )
    return ["nginx", "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def caddy_command(folder: Path, site: str) -> list[str]:
    (folder / "Caddyfile").write_text(
        f"{{\n admin off\n auto_https disable_redirects\n skip_install_trust\n}}\n{site}\n"
    )
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


SITES: dict[tuple[str, bool], Callable[[int, str, Path, Path], str]] = {
    ("nginx", False): nginx_stock,
    ("nginx", True): nginx_recipe,
    ("caddy", False): caddy_stock,
    ("caddy", True): caddy_recipe,
}
COMMANDS = {"nginx": nginx_command, "caddy": caddy_command}


@contextmanager
def in_front(proxy: str, folder: Path, upstream: str, *, by_recipe: bool) -> Iterator[Front]:
    """The proxy before the service at `upstream`."""
    path = os.environ["PATH"] + ":/usr/sbin"
    if shutil.which(proxy, path=path) is None:
        pytest.skip(f"{proxy} is not installed: apt-get install {proxy}")
    port, (pem, key) = free_port(), certificate(folder)
    command = COMMANDS[proxy](folder, SITES[proxy, by_recipe](port, upstream, pem, key))
    kept = os.environ | {
        "PATH": path,
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    said = folder / "proxy.log"
    with said.open("w") as log, subprocess.Popen(command, env=kept, stderr=log) as running:
        try:
            until = time.monotonic() + PATIENCE
            while running.poll() is None and time.monotonic() < until:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.02)
            else:
                raise AssertionError(f"{proxy} did not start: {said.read_text()}")
            yield Front(port, pem if by_recipe else None)
        finally:
            running.terminate()


def closed(front: Front, shown: Shown, host: str) -> None:
    """Nothing can be read and nothing ordered without a login."""
    before = whats(shown)
    for headers in (each for each in STRANGERS if "Host" not in each):
        with front.client(host, **headers) as client:
            for path in (*PAGES, "/tokens"):
                answer = client.get(path)
                assert (answer.status_code, answer.headers["location"]) == (303, "/login"), (path, headers)
            for path in ("/tickets/acme/1/orders", "/holds/release", "/tokens/revoke"):
                answer = client.post(path, data={"verb": "deescalate", "reason": "x", "csrf": ""})
                assert (answer.status_code, answer.headers["location"]) == (303, "/login"), path
            assert client.get("/events").status_code == 403
            assert client.get("/api/v1/escalations").status_code == 401
            assert client.post("/api/v1/holds/release", json={"account": "acme"}).status_code == 401
            assert client.post("/hooks/acme", content=b"{}").status_code == 401
    shown.here.round(1)
    assert whats(shown) == before


def signed(shown: Shown) -> dict[str, str]:
    """What Zendesk puts beside the body."""
    at = datetime.fromtimestamp(shown.here.clock.now(), UTC).isoformat().replace("+00:00", "Z")
    return {
        "x-zendesk-webhook-signature": signature(WEBHOOK_SECRET, at, BODY),
        "x-zendesk-webhook-signature-timestamp": at,
        "x-zendesk-webhook-invocation-id": "one",
    }


def failed_logins(front: Front, host: str) -> Counter[int]:
    """Somebody who says with each try that they come from elsewhere."""
    said: Counter[int] = Counter()
    for number in range(TRIES + 2):
        with front.client(host, **{"X-Forwarded-For": f"198.51.100.{number}"}) as client:
            data = {"name": f"nobody-{number}", "password": "wrong"}
            said[client.post("/login", data=data).status_code] += 1
    return said


@pytest.mark.parametrize("proxy", PROXIES)
def test_behind_a_stock_proxy_nobody_gets_in_without_a_login(tmp_path: Path, proxy: str) -> None:
    """nginx by itself says nothing of where a request came from, and calls the host 127.0.0.1."""
    with (
        beside(tmp_path) as shown,
        in_front(proxy, tmp_path, shown.url, by_recipe=False) as front,
    ):
        host = NAME if proxy == "nginx" else "localhost"  # Caddy passes the name on, which must then be known
        closed(front, shown, host)
        shown.user("dana", "operator")
        closed(front, shown, host)
        with shown.store.writing() as connection:
            users.remove(connection, "dana")
        closed(front, shown, host)
        assert failed_logins(front, host) == {403: TRIES, 429: 2}


@pytest.mark.parametrize("proxy", PROXIES)
def test_the_recipe_lets_in_who_logs_in_and_nobody_else(tmp_path: Path, proxy: str) -> None:
    with (
        beside(tmp_path, RECIPE) as shown,
        in_front(proxy, tmp_path, shown.url, by_recipe=True) as front,
    ):
        closed(front, shown, NAME)
        shown.user("dana", "operator")
        with front.client() as client:
            answer = client.post("/login", data={"name": "dana", "password": PASSWORD})
            assert (answer.status_code, answer.headers["location"]) == (303, "/")
            assert "; secure" in answer.headers["set-cookie"].lower()
            assert "Second line" in client.get("/now").text
            with client.stream("GET", "/events", timeout=PATIENCE) as stream:
                told = stream.iter_lines()
                assert next(told) == "retry: 3000"
                assert any(line == ": well" for line in told)  # it is not held back
            said = {"csrf": csrf(client), "verb": "acknowledge"}
            assert client.post("/tickets/acme/1/orders", data=said).status_code == 303
        shown.here.round(1)
        assert ("acknowledged", "dana") in whats(shown)
        with front.client() as helpdesk:
            assert helpdesk.post("/hooks/acme", content=BODY, headers=signed(shown)).status_code == 202
        assert failed_logins(front, NAME) == {403: TRIES, 429: 2}
        with front.client("evil.example") as client:
            assert client.get("/login").status_code == 403


@pytest.mark.parametrize("proxy", PROXIES)
def test_check_online_says_what_stands_outside(tmp_path: Path, proxy: str) -> None:
    with (
        beside(tmp_path) as shown,
        in_front(proxy, tmp_path, shown.url, by_recipe=False) as front,
    ):
        path = tmp_path / "uptier.toml"
        table = f'[service]\noutside = "http://localhost:{front.port}"\n'
        path.write_text(path.read_text("utf-8").replace("[service]\n", table, 1), encoding="utf-8")
        settings = load(path).settings
        assert settings is not None
        assert [(each.what, each.ok) for _, each in ask_outside(settings)] == [
            ("console", True),
            ("webhook of acme", True),
        ]
        shown.here.service.stop()
        said = ask_outside(settings)
        assert [each.ok for _, each in said] == [False, False]
        assert all("does `uptier run` run" in each.text for _, each in said)


@pytest.mark.parametrize(
    ("status", "headers", "text", "why"),
    [
        (200, {}, "Welcome to nginx!", "without a login"),
        (403, {}, "", "pass `Host` on"),
        (301, {"Location": "https://elsewhere.example/"}, "", "name that address"),
        (404, {}, "", "must lead to the address of `listen`"),
        (502, {}, "", "does `uptier run` run"),
        (None, {}, "", "no answer"),
    ],
)
def test_what_else_may_stand_outside_is_named(
    tmp_path: Path, status: int | None, headers: dict[str, str], text: str, why: str
) -> None:
    path = tmp_path / "uptier.toml"
    path.write_text(
        '[service]\noutside = "https://uptier.example"\n[accounts.acme]\nadapter = "zendesk"\n'
        'url = "https://acme.example"\nauth = { kind = "bearer", token = "secret:acme-token" }\n',
        encoding="utf-8",
    )
    settings = load(path).settings
    assert settings is not None
    with respx.mock:
        route = respx.get("https://uptier.example/")
        if status is None:
            route.mock(side_effect=httpx.ConnectError("refused"))
        else:
            route.respond(status, headers=headers, text=text)
        ((_, finding),) = ask_outside(settings)
    assert finding.ok is False
    assert why in finding.text


def test_where_nothing_runs_yet_the_address_is_not_called_wrong(tmp_path: Path) -> None:
    path = tmp_path / "uptier.toml"
    path.write_text(
        '[service]\noutside = "http://localhost:1"\n[accounts.acme]\nadapter = "zendesk"\n'
        'url = "https://acme.example"\nauth = { kind = "bearer", token = "secret:acme-token" }\n',
        encoding="utf-8",
    )
    settings = load(path).settings
    assert settings is not None
    with respx.mock:
        respx.get("http://localhost:1/").mock(side_effect=httpx.ConnectError("refused"))
        ((_, before),) = ask_outside(settings, runs=is_running(settings, None))
        ((_, after),) = ask_outside(settings)
    assert (before.hint, before.text) == (True, "nothing runs yet: start `uptier run`, and ask again")
    assert after.hint is False
    assert "certificate" not in after.text
