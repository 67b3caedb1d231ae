"""Single sign-on by OpenID Connect: the authorization code flow with PKCE, by Authlib.

What the provider says is believed only from its ID token: signed with a key of the configured issuer by a public-key
algorithm, made for this client, for this very login (nonce), and still good. The browser carries state, nonce and PKCE
verifier of its own login in a cookie; nothing is kept here for somebody who has not come back. Loaded only where a
provider is configured: Authlib takes ten megabytes.
"""

import hmac
from collections.abc import Callable, Mapping
from secrets import token_urlsafe
from typing import Any

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from requests import RequestException

from connector.config.settings import SingleSignOn
from connector.config.values import helpdesk_url
from connector.console.access import BACK, NotVouched, Vouched
from policies.model import Instant, Seconds

WITHIN = 10.0
"""Real seconds that one answer of the provider may take."""
LEEWAY: Seconds = 60
KNOWN_FOR: Seconds = 3600
KEYS_EVERY: Seconds = 60
"""So long the provider's description is believed; so often at most its keys are read for one that is unknown."""

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""A signature made with a shared secret, or none at all, is no proof of the provider's."""


class SignOn:
    """One provider. Any thread may use it; it asks the provider and waits for it."""

    def __init__(
        self, said: SingleSignOn, outside: str, secret: str | None, now: Callable[[], Instant]
    ) -> None:
        self._said = said
        self._redirect = outside + BACK
        self._secret = secret
        self._now = now
        self._metadata: tuple[Mapping[str, Any], Instant] | None = None
        self._keys: tuple[KeySet, Instant] | None = None

    def begin(self) -> tuple[str, str]:
        """Where the browser goes, and what its cookie must bring back. Raises NotVouched without the provider."""
        state, nonce, verifier = token_urlsafe(24), token_urlsafe(24), token_urlsafe(48)
        with self._session(state) as session:
            url, _ = session.create_authorization_url(
                self._endpoint("authorization_endpoint"), state=state, code_verifier=verifier, nonce=nonce
            )
        return str(url), f"{state}.{nonce}.{verifier}"

    def finish(self, query: Mapping[str, str], carried: str) -> Vouched:
        """Whom the provider vouches for, from what it sent back and what the browser carried. Raises NotVouched."""
        state, _, rest = carried.partition(".")
        nonce, _, verifier = rest.partition(".")
        if not (state and nonce and verifier) or not hmac.compare_digest(
            state.encode(), query.get("state", "").encode()
        ):
            raise NotVouched("this is not the browser that began the login, or it took too long")
        metadata = self._known()
        issuer = query.get("iss")
        if issuer is None and metadata.get("authorization_response_iss_parameter_supported") is True:
            raise NotVouched("the answer names no issuer, though the provider says that it does")
        if issuer not in (None, self._said.issuer):
            raise NotVouched("the answer is another issuer's")
        if "code" not in query:
            raise NotVouched(f"the provider refused: {query.get('error', 'no reason given')[:100]}")
        try:
            with self._session(state) as session:
                token = session.fetch_token(
                    self._endpoint("token_endpoint"),
                    grant_type="authorization_code",
                    code=query["code"],
                    redirect_uri=self._redirect,
                    code_verifier=verifier,
                    allow_redirects=False,
                )
            return self._vouched(self._claims(token, nonce))
        except (OAuthError, JoseError, RequestException, ValueError, TypeError, KeyError) as error:
            raise NotVouched(f"{type(error).__name__}: {error}") from error

    def _session(self, state: str) -> Any:
        return OAuth2Session(
            self._said.client_id,
            self._secret,
            scope=" ".join(self._said.scopes),
            redirect_uri=self._redirect,
            state=state,
            code_challenge_method="S256",
            default_timeout=WITHIN,
        )

    def _claims(self, token: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        """The claims of the ID token, once all about it is right. Raises the libraries' errors and ValueError."""
        word = token.get("id_token")
        if not isinstance(word, str):
            raise ValueError("the provider sent no ID token")  # noqa: TRY004 (what was sent, not what was called)
        registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
        try:
            read = jwt.decode(word, key=self._key_set(0), registry=registry)
        except (InvalidKeyIdError, JoseError):
            keys = self._key_set(KEYS_EVERY)  # the provider may have changed its keys since
            read = jwt.decode(word, key=keys, registry=registry)
        claims = CodeIDToken(
            read.claims,
            read.header,
            {
                "iss": {"essential": True, "value": self._said.issuer},
                "aud": {"essential": True, "value": self._said.client_id},
                "sub": {"essential": True},
                "nonce": {"essential": True, "value": nonce},
            },
            {"nonce": nonce, "client_id": self._said.client_id, "access_token": token.get("access_token")},
        )
        claims.validate(now=self._now(), leeway=LEEWAY)
        return dict(claims)

    def _vouched(self, claims: Mapping[str, Any]) -> Vouched:
        name = claims.get(self._said.name)
        if not isinstance(name, str):
            raise ValueError(f"the ID token has no text in its claim {self._said.name}")  # noqa: TRY004
        if self._said.name == "email" and claims.get("email_verified") is not True:
            raise ValueError("the provider has not verified this address (email_verified)")
        if self._said.role_claim is None:
            return Vouched(name=name, roles=None)
        granted = claims.get(self._said.role_claim, [])
        words = granted if isinstance(granted, list) else [granted]
        roles = {
            self._said.roles[word] for word in words if isinstance(word, str) and word in self._said.roles
        }
        return Vouched(name=name, roles=frozenset(roles))

    def _endpoint(self, name: str) -> str:
        return _safe(self._known().get(name), name)

    def _known(self) -> Mapping[str, Any]:
        """The provider's description of itself. Raises NotVouched if it is another's or cannot be had."""
        if self._metadata is None or self._metadata[1] + KNOWN_FOR <= self._now():
            address = f"{self._said.issuer.rstrip('/')}/.well-known/openid-configuration"
            metadata = self._fetched(address)
            if metadata.get("issuer") != self._said.issuer:
                raise NotVouched(f"{address} describes another issuer than [service.single_sign_on] names")
            self._metadata = (metadata, self._now())
        return self._metadata[0]

    def _key_set(self, not_older: Seconds) -> KeySet:
        """The provider's keys: as last read, or with `not_older` read anew if that was so long ago."""
        kept_for = not_older or KNOWN_FOR
        if self._keys is None or self._keys[1] + kept_for <= self._now():
            found = self._fetched(self._endpoint("jwks_uri"))
            self._keys = (KeySet.import_key_set(found), self._now())  # type: ignore[arg-type]
        return self._keys[0]

    def _fetched(self, address: str) -> dict[str, Any]:
        try:
            with self._session("") as session:
                answer = session.get(address, withhold_token=True, allow_redirects=False)
                found = answer.json() if answer.status_code == 200 else None
        except (RequestException, ValueError) as error:
            raise NotVouched(f"{address} cannot be read: {error}") from error
        if not isinstance(found, dict):
            raise NotVouched(f"{address} answers {answer.status_code}, and no JSON object")
        return found


def _safe(address: object, name: str) -> str:
    """An address of the provider's to which a secret may be sent."""
    try:
        return helpdesk_url(address if isinstance(address, str) else "")
    except ValueError as error:
        raise NotVouched(f"the provider's {name} is no https address") from error
