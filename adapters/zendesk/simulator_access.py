"""Who may call: bearer tokens, OAuth grants and the older address/token pairs."""

import base64
import binascii
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.zendesk.simulator_errors import Reply, refused, unauthenticated
from adapters.zendesk.simulator_switches import Switches


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token: whose it is, what it may, until when (epoch seconds; None is for ever)."""

    user: int
    scopes: frozenset[str]
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An OAuth client. Its client_credentials tokens act as the user who owns it."""

    secret: str
    owner: int


class Access:
    """The account's credentials. Nothing is accepted until it was put here."""

    def __init__(self, now: Callable[[], int], switches: Switches) -> None:
        self.now = now
        self.switches = switches
        self.tokens: dict[str, Token] = {}
        self.refreshes: dict[str, tuple[str, str, int]] = {}  # refresh token -> client, access token, user
        self.clients: dict[str, Client] = {}
        self.keys: dict[str, str] = {}  # address of an agent -> API token
        self.addresses: dict[str, int] = {}  # address of an agent -> user id
        self._numbers = itertools.count(1)

    def allow(self, token: str, user: int, *, scopes: str = "read write", until: int | None = None) -> None:
        """Accept a bearer token for this user."""
        self.tokens[token] = Token(user=user, scopes=frozenset(scopes.split()), until=until)

    def allow_key(self, key: str, address: str, user: int) -> None:
        """Accept `address/token:key` as Basic credentials."""
        self.keys[address], self.addresses[address] = key, user

    def allow_client(self, client: str, secret: str, owner: int) -> None:
        """Accept an OAuth client for `POST /oauth/tokens`."""
        self.clients[client] = Client(secret=secret, owner=owner)

    def revoke(self) -> None:
        """Every token and key stops working; OAuth clients may still ask for a new token."""
        self.tokens.clear()
        self.keys.clear()

    def caller(self, header: str) -> Token:
        """The token behind an Authorization header; Refused with 401 otherwise."""
        kind, _, rest = header.partition(" ")
        token = self.tokens.get(rest) if kind == "Bearer" else self._by_key(rest) if kind == "Basic" else None
        if token is None or (token.until is not None and token.until <= self.now()):
            raise unauthenticated()
        return token

    def grant(self, body: Mapping[str, Any]) -> Reply:
        """Answer `POST /oauth/tokens`. A refresh ends the old access token and the old refresh token."""
        client = self.clients.get(str(body.get("client_id")))
        if client is None or client.secret != body.get("client_secret"):
            raise refused(
                401, {"error": "invalid_client", "error_description": "Client authentication failed"}
            )
        if body.get("grant_type") == "refresh_token":
            owner = self._spend(str(body.get("refresh_token")), str(body.get("client_id")))
        elif body.get("grant_type") == "client_credentials":
            owner = client.owner
        else:
            raise refused(400, {"error": "unsupported_grant_type", "error_description": "Unknown grant_type"})
        return self._issue(owner, str(body.get("client_id")), str(body.get("scope", "read write")))

    def _by_key(self, encoded: str) -> Token | None:
        try:
            pair = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        login, _, key = pair.partition(":")
        address, slash, word = login.rpartition("/")
        if not slash or word != "token" or not key or self.keys.get(address) != key:
            return None
        return Token(user=self.addresses[address], scopes=frozenset({"read", "write"}))

    def _spend(self, refresh: str, client: str) -> int:
        known = self.refreshes.get(refresh)
        if known is None or known[0] != client:
            raise refused(
                400, {"error": "invalid_grant", "error_description": "The refresh token is invalid"}
            )
        del self.refreshes[refresh]
        self.tokens.pop(known[1], None)
        return known[2]

    def _issue(self, user: int, client: str, scope: str) -> Reply:
        number, life = next(self._numbers), self.switches.token_life
        access, refresh = f"access-{number}", f"refresh-{number}"
        self.allow(access, user, scopes=scope, until=self.now() + life)
        body: dict[str, Any] = {
            "access_token": access,
            "token_type": "bearer",
            "scope": scope,
            "expires_in": life,
        }
        if self.switches.refresh_tokens:
            self.refreshes[refresh] = (client, access, user)
            body["refresh_token"] = refresh
        return Reply(status=200, body=body)
