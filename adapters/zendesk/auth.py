"""Who we are to Zendesk: a token of our own, an address with an API token, or OAuth tokens that are renewed.

Tokens of OAuth clients made since 2026-04-30 live for thirty minutes, and a refresh ends the pair before it, so
one thread at a time asks and the others take what it got. Nothing is stored: after a restart the client asks for
a new token. https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/"""

import threading
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Protocol

from requests import Response

from adapters.base import AccessLost, Account, TryLater
from adapters.zendesk.answers import UNSAID, content

NEEDS = {"bearer": ("token",), "token": ("user", "token"), "oauth": ("client_id", "client_secret")}
SCOPE = "read write"
REFUSED = (400, 401, 403)

Ask = Callable[[Mapping[str, str]], Response]
"""Posts a JSON object to the account's token address; raises TryLater where no answer came."""


class Credentials(Protocol):
    """What stands in the Authorization header."""

    def header(self) -> str:
        """The header for the next request. May ask for a token first, and raise what that meets."""

    def renew(self, used: str) -> bool:
        """Replace what a 401 has refused. Whether there is now something else to try."""


class Fixed:
    """A token that we were given. After a 401 the secret is asked for again: it may have been replaced."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._header: str | None = None

    def header(self) -> str:
        """The header, the same until a 401."""
        if self._header is None:
            self._header = self._made()
        return self._header

    def renew(self, used: str) -> bool:
        """Whether the secret is another one now."""
        self._header = self._made()
        return self._header != used

    def _made(self) -> str:
        auth = self._account.auth
        token = self._account.secret(auth["token"])
        if auth["kind"] == "bearer":
            return f"Bearer {token}"
        return "Basic " + b64encode(f"{auth['user']}/token:{token}".encode()).decode()


class Granted:
    """An OAuth client's own token (`client_credentials`), refreshed while the refresh token lasts."""

    def __init__(self, account: Account, ask: Ask) -> None:
        self._account = account
        self._ask = ask
        self._lock = threading.Lock()
        self._access: str | None = None
        self._refresh: str | None = None

    def header(self) -> str:
        """The present token, or the first."""
        with self._lock:
            if self._access is None:
                self._fetch()
            return f"Bearer {self._access}"

    def renew(self, used: str) -> bool:
        """Fetch a token, unless another thread has done so since this one was used."""
        with self._lock:
            if used == f"Bearer {self._access}":
                self._fetch()
            return True

    def _fetch(self) -> None:
        """By refresh token first; one that is spent or has ended gives way to the grant itself."""
        self._access = None
        refresh, self._refresh = self._refresh, None
        if refresh is not None:
            answer = self._ask(self._form("refresh_token", refresh_token=refresh))
            if answer.ok:
                return self._keep(answer)
        return self._keep(self._ask(self._form("client_credentials")))

    def _form(self, grant: str, **more: str) -> Mapping[str, str]:
        auth = self._account.auth
        return {
            "grant_type": grant,
            "client_id": str(auth["client_id"]),
            "client_secret": self._account.secret(auth["client_secret"]),
            "scope": str(auth.get("scope") or SCOPE),
            **more,
        }

    def _keep(self, answer: Response) -> None:
        body = content(answer) or {}
        access, refresh = body.get("access_token"), body.get("refresh_token")
        if answer.ok and isinstance(access, str) and access:
            self._access = access
            self._refresh = refresh if isinstance(refresh, str) and refresh else None
            return
        text = f"Zendesk gave no token (status {answer.status_code}: {body.get('error') or 'no reason'})"
        if answer.status_code in REFUSED:
            raise AccessLost(f"{text}; check client_id, client_secret and scope of the OAuth client")
        raise TryLater(text, UNSAID)


def check(account: Account) -> None:
    """Raise ValueError for credentials that cannot work."""
    kind = account.auth.get("kind")
    if kind not in NEEDS:
        known = '", "'.join(NEEDS)
        raise ValueError(f'account {account.name}: auth kind {kind!r} is unknown; use one of "{known}"')
    missing = [name for name in NEEDS[kind] if not account.auth.get(name)]
    if missing:
        raise ValueError(f"account {account.name}: auth lacks {' and '.join(missing)}")


def credentials(account: Account, ask: Ask) -> Credentials:
    """What the account's `auth` says."""
    return Granted(account, ask) if account.auth["kind"] == "oauth" else Fixed(account)
