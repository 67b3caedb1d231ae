"""Credentials of a simulated account: Basic ones as callers send them, and the tokens of an OAuth endpoint."""

import base64
import binascii
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.simulation.answers import Reply


def basic_pair(header: str) -> tuple[str, str]:
    """The user and password of an Authorization header; two empty texts if it has none that can be read."""
    kind, _, rest = header.partition(" ")
    try:
        user, _, password = base64.b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (user, password) if kind == "Basic" else ("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token: whose it is (None: nobody's, and good for nothing), what it may, until when (epoch seconds; None
    is for ever)."""

    owner: Any
    scopes: frozenset[str] = frozenset()
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """What a refresh token renews."""

    client: str
    access: str
    owner: Any


class Tokens:
    """The tokens of an account, in seconds of `life` each; `granted` counts what the OAuth endpoint gave."""

    def __init__(self, now: Callable[[], int], *, life: int, refreshes: bool) -> None:
        self.now = now
        self.life = life
        self.gives_refreshes = refreshes
        self.tokens: dict[str, Token] = {}
        self.refreshes: dict[str, Refresh] = {}
        self.granted = 0
        self.numbers = itertools.count(1)

    def bearer(self, header: str) -> Token | None:
        """The token that an Authorization header carries, if it is good now."""
        kind, _, word = header.partition(" ")
        token = self.tokens.get(word) if kind == "Bearer" else None
        return token if token and (token.until is None or token.until > self.now()) else None

    def issue(self, owner: Any, words: Mapping[str, str], *, client: str = "", scopes: str = "") -> Reply:
        """Grant a token, and a refresh token where there are such; `words` stand in the answer as they are."""
        number = next(self.numbers)
        self.granted += 1
        access, refresh = f"access-{number}", f"refresh-{number}"
        self.tokens[access] = Token(
            owner=owner, scopes=frozenset(scopes.split()), until=self.now() + self.life
        )
        body: dict[str, Any] = {"access_token": access, **words, "expires_in": self.life}
        if self.gives_refreshes and owner is not None:
            self.refreshes[refresh] = Refresh(client=client, access=access, owner=owner)
            body["refresh_token"] = refresh
        return Reply(body=body)
