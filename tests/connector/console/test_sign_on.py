"""Single sign-on against a provider in a process of its own, which tells the truth, and then each lie it can."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from structlog.testing import capture_logs

from connector.config.settings import load
from connector.store import users
from tests.connector.console import provider as provider_program
from tests.connector.console.conftest import PASSWORD, Shown, beside

OUTSIDE = "http://127.0.0.1:8080"
"""Where the provider sends browsers back; the test goes to the service's own port instead."""
ANN = {
    "sub": "1001",
    "email": "ann@acme.test",
    "email_verified": True,
    "groups": ["support", "uptier-operators"],
}
FROM_CLAIM = 'role_claim = "groups"\nroles = { uptier-admins = "admin", uptier-operators = "operator" }\n'


@dataclass
class Provider:
    """The provider's address, and a way to tell it things."""

    url: str

    def told(self, **words: Any) -> None:
        httpx.post(f"{self.url}/told", json=words).raise_for_status()


@pytest.fixture(scope="module")
def process() -> Iterator[str]:
    command = [sys.executable, provider_program.__file__ or "", f"{OUTSIDE}/login/back"]
    kept = os.environ | {"AUTHLIB_INSECURE_TRANSPORT": "1"}  # it is on loopback
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=kept) as running:
        assert running.stdout is not None
        yield running.stdout.readline().strip()
        running.kill()


@pytest.fixture
def provider(process: str) -> Provider:
    found = Provider(process)
    found.told(user=ANN, claims={}, key="right", published=["right"], alg="RS256", metadata={}, answer={})
    return found


@contextmanager
def signing_on(folder: Path, provider: Provider, more: str = FROM_CLAIM) -> Iterator[Shown]:
    """A service with single sign-on, whose clock the provider's follows."""
    service = (
        f'outside = "{OUTSIDE}"\n[service.single_sign_on]\nissuer = "{provider.url}"\nclient_id = "uptier"\n'
        f'client_secret = "secret:acme-client"\n{more}'
    )
    with beside(folder, after=service) as shown:
        provider.told(now=shown.here.clock.now())
        yield shown


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def signed_on(client: httpx.Client) -> httpx.Response:
    """All that a browser does, from the link on the login page to the answer at the end."""
    going = client.get("/login/provider")
    assert going.status_code == 303, going.text
    back = httpx.get(going.headers["location"])
    assert back.status_code == 302, back.text
    assert back.headers["location"].startswith(f"{OUTSIDE}/login/back?")
    return client.get(path_of(back.headers["location"]))


def known(shown: Shown) -> list[tuple[str, str]]:
    with shown.store.reading() as connection:
        return [(user.name, user.role) for user in users.every(connection)]


def test_who_the_provider_vouches_for_is_let_in_with_the_role_of_the_claim(
    tmp_path: Path, provider: Provider
) -> None:
    with signing_on(tmp_path, provider) as shown, shown.client() as client:
        assert "single sign-on" in client.get("/login").text
        answer = signed_on(client)
        assert answer.status_code == 200
        (cookie,) = [each for each in answer.headers.get_list("set-cookie") if "session" in each]
        assert "samesite=strict" in cookie.lower()
        assert "ann@acme.test, operator" in client.get("/now").text
        assert known(shown) == [("ann@acme.test", "operator")]


def test_the_request_carries_a_challenge_a_nonce_and_a_state_of_its_own(
    tmp_path: Path, provider: Provider
) -> None:
    with signing_on(tmp_path, provider) as shown, shown.client() as client:
        asked = [
            parse_qs(urlsplit(client.get("/login/provider").headers["location"]).query) for _ in range(2)
        ]
    for query in asked:
        assert query["code_challenge_method"] == ["S256"]
        assert query["response_type"] == ["code"]
        assert query["redirect_uri"] == [f"{OUTSIDE}/login/back"]
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
        assert len(asked[0][name][0]) > 30


LIES: dict[str, tuple[dict[str, Any], str]] = {
    "issuer": ({"claims": {"iss": "https://evil.example"}}, "'iss'"),
    "audience": ({"claims": {"aud": "another-client"}}, "'aud'"),
    "two audiences": ({"claims": {"aud": ["uptier", "another-client"]}}, "'azp'"),
    "another party": ({"claims": {"aud": ["uptier", "other"], "azp": "other"}}, "'azp'"),
    "nonce": ({"claims": {"nonce": "of another login"}}, "'nonce'"),
    "no nonce": ({"claims": {"nonce": None}}, "'nonce'"),
    "key": ({"key": "false"}, "bad_signature"),
    "unknown key": ({"key": "new"}, "invalid_key_id"),
    "unsigned": ({"alg": "none"}, "'none' is not allowed"),
    "signed with the client's secret": ({"alg": "HS256"}, "'HS256' is not allowed"),
    "signed with the public key": ({"alg": "HS256 by the public key"}, "'HS256' is not allowed"),
    "access token": ({"claims": {"at_hash": "bm90LXRoZS1oYXNo"}}, "'at_hash'"),
    "no token": ({"answer": {"id_token": None}}, "no ID token"),
    "no JSON word": ({"answer": {"id_token": "a.b"}}, "decode_error"),
    "address not verified": ({"claims": {"email_verified": False}}, "email_verified"),
    "address of unknown standing": (
        {"user": {k: ANN[k] for k in ("sub", "email", "groups")}},
        "email_verified",
    ),
    "no address": ({"user": {"sub": "1", "groups": ["uptier-admins"]}}, "claim email"),
    "an odd name": ({"claims": {"email": "ann\n2026 root"}}, "can be printed"),
    "no role": ({"claims": {"groups": ["support"]}}, "no role here"),
    "odd roles": ({"claims": {"groups": {"uptier-admins": True}}}, "no role here"),
    "nobody": ({"claims": {"sub": None}}, "'sub'"),
}


@pytest.fixture(scope="module")
def told(process: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """One service for all tests of what its provider says."""
    with signing_on(tmp_path_factory.mktemp("told"), Provider(process)) as shown:
        yield shown


@pytest.mark.parametrize("lie", LIES)
def test_what_is_not_as_it_should_be_lets_nobody_in(told: Shown, provider: Provider, lie: str) -> None:
    words, why = LIES[lie]
    provider.told(**words, now=told.here.clock.now())
    with told.client() as client, capture_logs() as said:
        answer = signed_on(client)
        assert (answer.status_code, "evil" in answer.text) == (403, False)
        assert client.get("/").headers["location"] == "/login"
    assert [why in line["reason"] for line in said] == [True], said
    assert known(told) == []


@pytest.mark.parametrize(
    ("claims", "let_in"),
    [
        ({"exp": -61}, False),
        ({"exp": -59}, True),
        ({"iat": 61}, False),
        ({"iat": 59}, True),
        ({"nbf": 61}, False),
        ({"exp": None}, False),
        ({"iat": None}, False),
    ],
)
def test_a_token_is_good_for_its_time_and_a_minute(
    told: Shown, provider: Provider, claims: dict[str, int | None], let_in: bool
) -> None:
    now = told.here.clock.now()
    provider.told(claims={name: None if by is None else now + by for name, by in claims.items()}, now=now)
    with told.client() as client:
        assert signed_on(client).status_code == (200 if let_in else 403)
    with told.store.writing() as connection:
        assert users.remove(connection, "ann@acme.test") is let_in


def test_a_code_is_good_for_the_browser_that_asked_for_it_and_once(
    tmp_path: Path, provider: Provider
) -> None:
    with signing_on(tmp_path, provider) as shown, shown.client() as client, shown.client() as other:
        back = httpx.get(client.get("/login/provider").headers["location"]).headers["location"]
        assert other.get(path_of(back)).status_code == 403  # it carries nothing
        other.get("/login/provider")
        assert other.get(path_of(back)).status_code == 403  # it carries its own
        carried = dict(client.cookies)
        assert client.get(path_of(back)).status_code == 200
        assert client.get(path_of(back)).status_code == 403
        with shown.client(cookies=carried) as again:
            assert again.get(path_of(back)).status_code == 403  # the provider takes a code once


@pytest.mark.parametrize(
    "query", ["", "?error=access_denied", "?state=x", "?code=x", "?code=x&state=x&iss=y"]
)
def test_who_comes_back_without_having_gone_is_refused(
    tmp_path: Path, provider: Provider, query: str
) -> None:
    with signing_on(tmp_path, provider) as shown, shown.client() as client:
        client.get("/login/provider")
        assert client.get(f"/login/back{query}").status_code == 403


def test_an_answer_of_another_issuer_is_refused(told: Shown, provider: Provider) -> None:
    with told.client() as client:
        back = httpx.get(client.get("/login/provider").headers["location"]).headers["location"]
        assert client.get(path_of(back) + "&iss=https://evil.example").status_code == 403


METADATA: tuple[dict[str, Any], ...] = (
    {"issuer": "https://evil.example"},
    {"token_endpoint": "http://evil.example/token"},
    {"token_endpoint": None},
    {"jwks_uri": "ftp://x"},
    {"authorization_response_iss_parameter_supported": True},
)


def test_a_description_that_is_not_right_is_not_followed(tmp_path: Path, provider: Provider) -> None:
    with signing_on(tmp_path, provider) as shown:
        for metadata in METADATA:
            shown.here.clock.advance(3600)
            provider.told(metadata=metadata, now=shown.here.clock.now())
            with shown.client() as client:
                going = client.get("/login/provider")
                if going.status_code == 303:
                    back = httpx.get(going.headers["location"]).headers["location"]
                    going = client.get(path_of(back))
                assert going.status_code == 403, metadata


def test_a_provider_that_is_down_is_said_and_passwords_work(tmp_path: Path) -> None:
    with signing_on_nowhere(tmp_path) as shown, shown.client() as client:
        assert client.get("/login/provider").status_code == 403
        shown.user("dana", "viewer")
        assert client.post("/login", data={"name": "dana", "password": PASSWORD}).status_code == 303


@contextmanager
def signing_on_nowhere(folder: Path) -> Iterator[Shown]:
    service = f'outside = "{OUTSIDE}"\n[service.single_sign_on]\nissuer = "http://127.0.0.1:9"\nclient_id = "uptier"\n'
    with beside(folder, after=service) as shown:
        yield shown


def test_new_keys_are_read_but_not_for_each_false_token(tmp_path: Path, provider: Provider) -> None:
    with signing_on(tmp_path, provider) as shown, shown.client() as client:
        assert signed_on(client).status_code == 200
        provider.told(key="new", published=["new"])
        assert signed_on(client).status_code == 403
        shown.here.clock.advance(61)
        provider.told(now=shown.here.clock.now())
        assert signed_on(client).status_code == 200


def test_the_claim_lowers_a_role_and_takes_it_away(tmp_path: Path, provider: Provider) -> None:
    with signing_on(tmp_path, provider) as shown, shown.client() as client, shown.client() as later:
        provider.told(claims={"groups": "uptier-admins"})
        assert signed_on(client).status_code == 200
        assert known(shown) == [("ann@acme.test", "admin")]
        provider.told(claims={})
        assert signed_on(later).status_code == 200
        assert known(shown) == [("ann@acme.test", "operator")]
        assert client.get("/").headers["location"] == "/login"  # what was begun as admin has ended
        provider.told(claims={"groups": []})
        with shown.client() as third:
            assert signed_on(third).status_code == 403
        assert known(shown) == []
        assert later.get("/").headers["location"] == "/login"


def test_without_a_role_claim_the_user_table_decides(tmp_path: Path, provider: Provider) -> None:
    with signing_on(tmp_path, provider, "") as shown, shown.client() as client:
        assert signed_on(client).status_code == 403
        assert known(shown) == []
        with shown.store.writing() as connection:
            ann = users.User(name="ann@acme.test", role="viewer", password="")
            users.keep(connection, ann, shown.here.clock.now())
        assert signed_on(client).status_code == 200
        assert "ann@acme.test, viewer" in client.get("/now").text
        for password in ("", "x", PASSWORD):
            with shown.client() as other:
                said = {"name": "ann@acme.test", "password": password}
                assert other.post("/login", data=said).status_code == 403


@pytest.mark.parametrize("more", ["", FROM_CLAIM])
def test_somebody_with_a_password_here_is_not_taken_over(
    tmp_path: Path, provider: Provider, more: str
) -> None:
    with signing_on(tmp_path, provider, more) as shown, shown.client() as client:
        shown.user("ann@acme.test", "admin")
        assert signed_on(client).status_code == 403
        assert known(shown) == [("ann@acme.test", "admin")]


def test_without_single_sign_on_there_is_none(shown: Shown) -> None:
    with shown.client() as client:
        assert "single sign-on" not in client.get("/login").text
        for path in ("/login/provider", "/login/back"):
            assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("lines", "code", "line"),
    [
        ('issuer = "http://login.example"\nclient_id = "a"', "bad-url", 4),
        ('issuer = "https://login.example"', "missing", 3),
        ('issuer = "https://login.example"\nclient_id = "a"\nrole_claim = "groups"', "missing", 3),
        ('issuer = "https://login.example"\nclient_id = "a"\nclient_secret = "hush"', "plain-secret", 6),
        ('issuer = "https://login.example"\nclient_id = "a"\nrols = {}', "unknown-key", 6),
        (
            'issuer = "https://login.example"\nclient_id = "a"\nrole_claim = "g"\nroles = { a = "king" }',
            "unknown-value",
            7,
        ),
    ],
)
def test_a_fault_in_its_table_is_named(tmp_path: Path, lines: str, code: str, line: int) -> None:
    path = tmp_path / "uptier.toml"
    path.write_text(
        f'[service]\noutside = "https://uptier.example"\n[service.single_sign_on]\n{lines}\n'
        '[accounts.acme]\nadapter = "zendesk"\nurl = "https://acme.example"\n'
        'auth = { kind = "bearer", token = "secret:acme-token" }\n',
        encoding="utf-8",
    )
    found = load(path)
    assert [(each.code, each.line) for each in found.problems if each.severity == "error"] == [(code, line)]


def test_it_needs_the_outside_address(tmp_path: Path) -> None:
    path = tmp_path / "uptier.toml"
    path.write_text(
        '[service.single_sign_on]\nissuer = "https://login.example"\nclient_id = "a"\n[accounts.acme]\n'
        'adapter = "zendesk"\nurl = "https://acme.example"\n'
        'auth = { kind = "bearer", token = "secret:acme-token" }\n',
        encoding="utf-8",
    )
    assert [each.code for each in load(path).problems] == ["missing"]
