"""Who may call: basic credentials, API keys, OAuth tokens, and the server sessions behind the cookies.

Vendor sheet 4.1 to 4.3 and 4.6.
"""

import base64
import binascii
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.servicenow.simulator_errors import Reply, unauthenticated
from adapters.servicenow.simulator_switches import Switches

COOKIE = "JSESSIONID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token: whose it is (None: nobody's, and good for nothing), and until when, in epoch seconds."""

    user: str | None
    until: int


class Access:
    """The instance's credentials. Nothing is accepted until it was put here."""

    def __init__(self, now: Callable[[], int], switches: Switches) -> None:
        self.now = now
        self.switches = switches
        self.passwords: dict[str, str] = {}
        self.keys: dict[str, str] = {}  # API key -> user name
        self.clients: dict[str, tuple[str, str]] = {}  # client -> secret, application user
        self.tokens: dict[str, Token] = {}
        self.refreshes: dict[str, str] = {}  # refresh token -> user name
        self.sessions: set[str] = set()
        self.granted = 0
        self._numbers = itertools.count(1)

    def revoke(self) -> None:
        """Every password, key and token stops working; OAuth clients may still ask for a new token."""
        self.passwords.clear()
        self.keys.clear()
        self.tokens.clear()

    def end_sessions(self) -> None:
        """Every server session ends, as at a failover."""
        self.sessions.clear()

    def caller(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> str:
        """The user name behind a request; Refused with 401 otherwise."""
        if self.switches.strict_sessions and cookies.get(COOKIE, "") not in self.sessions | {""}:
            raise unauthenticated()
        user = self._by_key(headers) or self._by_header(headers.get("authorization", ""))
        if user is None:
            raise unauthenticated()
        return user

    def session(self, cookies: Mapping[str, str]) -> dict[str, str]:
        """The cookie that a call without a session gets."""
        if cookies.get(COOKIE) in self.sessions:
            return {}
        name = f"session-{next(self._numbers)}"
        self.sessions.add(name)
        return {"Set-Cookie": f"{COOKIE}={name}; Path=/; HttpOnly"}

    def grant(self, form: Mapping[str, str]) -> Reply:
        """Answer `POST /oauth_token.do`."""
        secret, owner = self.clients.get(form.get("client_id", ""), ("", ""))
        if not secret or secret != form.get("client_secret"):
            return _denied("invalid_client", "The client is unknown")
        kind = form.get("grant_type")
        if kind == "client_credentials":
            return self._issue(owner if self.switches.application_user else None)
        if kind == "password" and self.passwords.get(form.get("username", "")) == form.get("password"):
            return self._issue(form["username"])
        if kind == "refresh_token" and (user := self.refreshes.pop(form.get("refresh_token", ""), None)):
            return self._issue(user)
        return _denied("invalid_grant", "The grant is refused")

    def _issue(self, user: str | None) -> Reply:
        number, life = next(self._numbers), self.switches.token_life
        self.granted += 1
        access = f"access-{number}"
        self.tokens[access] = Token(user=user, until=self.now() + life)
        body: dict[str, Any] = {"access_token": access, "scope": "useraccount", "token_type": "Bearer"}
        body["expires_in"] = life
        if self.switches.refresh_tokens and user is not None:
            body["refresh_token"] = f"refresh-{number}"
            self.refreshes[body["refresh_token"]] = user
        return Reply(body=body)

    def _by_key(self, headers: Mapping[str, str]) -> str | None:
        return self.keys.get(headers.get("x-sn-apikey", ""))

    def _by_header(self, header: str) -> str | None:
        kind, _, rest = header.partition(" ")
        if kind == "Bearer":
            token = self.tokens.get(rest)
            return token.user if token and token.until > self.now() else None
        try:
            pair = base64.b64decode(rest, validate=True).decode() if kind == "Basic" else ""
        except (binascii.Error, UnicodeDecodeError):
            return None
        user, _, password = pair.partition(":")
        return user if password and self.passwords.get(user) == password else None


def _denied(error: str, why: str) -> Reply:
    return Reply(status=401, body={"error": error, "error_description": why})
