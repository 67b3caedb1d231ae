"""Who we are to ServiceNow: basic credentials, an API key, or an OAuth token that is renewed when it ends.

Vendor sheet 4.1 to 4.3, https://www.servicenow.com/docs/r/api-reference/rest-api-explorer/c_RESTAPI.html"""

import threading
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import httpx

from adapters.base import AccessLost, Account, TryLater
from adapters.servicenow.answers import UNSAID, content, words

Header = tuple[str, str]
NEEDS = {"basic": ("user", "password"), "key": ("key",), "oauth": ("client_id", "client_secret")}
TOKENS = "/oauth_token.do"

Ask = Callable[[Mapping[str, str]], httpx.Response]
"""Posts a form to the instance's token address; raises what a read would."""


class Credentials(Protocol):
    """The header that says who we are."""

    def header(self) -> Header:
        """The header for the next request. May ask for a token first, and raise what that meets."""

    def renew(self, used: Header) -> bool:
        """Replace what a 401 has refused. Whether there is now something else to try."""


class Fixed:
    """Basic credentials or an API key. The secret is asked for again after a 401: it may have been replaced."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._header: Header | None = None

    def header(self) -> Header:
        """The header, the same until a 401."""
        if self._header is None:
            self._header = self._made()
        return self._header

    def renew(self, used: Header) -> bool:
        """Whether the secret is another one now."""
        self._header = self._made()
        return self._header != used

    def _made(self) -> Header:
        auth = self._account.auth
        if auth["kind"] == "key":
            return "x-sn-apikey", self._account.secret(auth["key"])
        pair = f"{auth['user']}:{self._account.secret(auth['password'])}"
        return "Authorization", "Basic " + b64encode(pair.encode()).decode()


class Token:
    """An OAuth token: client credentials, or a user's password where the account names a user.

    One thread at a time asks for a token; the others take what it got. A refresh token is used while it lasts.
    """

    def __init__(self, account: Account, ask: Ask) -> None:
        self._account = account
        self._ask = ask
        self._lock = threading.Lock()
        self._access: str | None = None
        self._refresh: str | None = None

    def header(self) -> Header:
        """The present token, or the first."""
        with self._lock:
            if self._access is None:
                self._fetch()
            return "Authorization", f"Bearer {self._access}"

    def renew(self, used: Header) -> bool:
        """Fetch a token, unless another thread has done so since this one was used."""
        with self._lock:
            if used[1] == f"Bearer {self._access}":
                self._fetch()
            return True

    def _fetch(self) -> None:
        """By refresh token first; one that is spent or has ended gives way to the grant itself."""
        self._access = None
        if self._refresh is not None:
            answer = self._ask(self._form("refresh_token", refresh_token=self._refresh))
            self._refresh = None
            if answer.is_success:
                return self._keep(answer)
        return self._keep(self._ask(self._grant()))

    def _grant(self) -> Mapping[str, str]:
        auth = self._account.auth
        if not auth.get("user"):
            return self._form("client_credentials")
        password = self._account.secret(auth["password"])
        return self._form("password", username=str(auth["user"]), password=password)

    def _form(self, kind: str, **more: str) -> Mapping[str, str]:
        auth = self._account.auth
        secret = self._account.secret(auth["client_secret"])
        return {"grant_type": kind, "client_id": str(auth["client_id"]), "client_secret": secret, **more}

    def _keep(self, answer: httpx.Response) -> None:
        body = content(answer)
        access = body.get("access_token")
        if answer.is_success and isinstance(access, str) and access:
            self._access = access
            refresh = body.get("refresh_token")
            self._refresh = refresh if isinstance(refresh, str) and refresh else None
            return
        text = f"ServiceNow gave no token ({answer.status_code}: {words(answer)})"
        if answer.status_code in (400, 401, 403):
            raise AccessLost(f"{text}. Check the OAuth client, its secret, and that its grant is switched on")
        raise TryLater(text, UNSAID)


def check(account: Account) -> None:
    """Raise ValueError for credentials that cannot work."""
    auth: Mapping[str, Any] = account.auth
    kind = auth.get("kind")
    if kind not in NEEDS:
        raise ValueError(
            f'account {account.name}: auth kind {kind!r} is unknown; use "basic", "key" or "oauth"'
        )
    needs = [*NEEDS[kind], *(["password"] if kind == "oauth" and auth.get("user") else [])]
    missing = [name for name in needs if not auth.get(name)]
    if missing:
        raise ValueError(f"account {account.name}: auth lacks {' and '.join(missing)}")


def credentials(account: Account, ask: Ask) -> Credentials:
    """What the account's `auth` says."""
    return Token(account, ask) if account.auth["kind"] == "oauth" else Fixed(account)
