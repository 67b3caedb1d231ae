# ruff: noqa: ARG002, ARG005 (the library calls them so)
"""An OpenID Connect provider in a process of its own, on Authlib's server side. It lets in whom it is told to, without
asking, and lies as it is told to.

Run as a program it prints its address. `POST /told` takes JSON: `user`, the claims of who logs in; `claims`, what is
put over the claims of the ID token; `now`, the time; `key`, `alg`, `metadata`, `answer` for lies about those.
"""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, Response, jsonify, request
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import make_server

CLIENT = "uptier"
SECRET = "the secret of this client"


@dataclass
class Told:
    """What it was told, and what came in."""

    user: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    now: int = field(default_factory=lambda: int(time.time()))
    key: str = "right"
    alg: str = "RS256"
    metadata: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)


class Client:
    """Uptier, as the provider knows it."""

    client_id = CLIENT

    def __init__(self, redirect: str) -> None:
        self.redirect = redirect

    def get_client_id(self) -> str:
        return CLIENT

    def get_default_redirect_uri(self) -> str:
        return self.redirect

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, uri: str) -> bool:
        return uri == self.redirect

    def check_client_secret(self, secret: str) -> bool:
        return secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, kind: str) -> bool:
        return kind == "code"

    def check_grant_type(self, kind: str) -> bool:
        return kind == "authorization_code"


@dataclass
class Code:
    """An authorization code."""

    code: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str | None
    code_challenge_method: str | None
    user: dict[str, Any]

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> None:
        return None

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


def made(redirect: str, address: list[str]) -> Flask:
    """The app. `address` holds its own address once it listens."""
    app, told, codes = Flask(__name__), Told(), dict[str, Code]()
    client = Client(redirect)
    keys = {
        name: RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})
        for name, kid in (("right", "one"), ("false", "one"), ("new", "two"))
    }
    published = ["right"]

    class Grant(AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

        def save_authorization_code(self, code: str, request: Any) -> None:
            data = request.payload.data
            codes[code] = Code(
                code=code,
                redirect_uri=request.payload.redirect_uri,
                scope=request.payload.scope,
                nonce=data.get("nonce"),
                code_challenge=data.get("code_challenge"),
                code_challenge_method=data.get("code_challenge_method"),
                user=request.user,
            )

        def query_authorization_code(self, code: str, client: Any) -> Code | None:
            return codes.get(code)

        def delete_authorization_code(self, authorization_code: Code) -> None:
            codes.pop(authorization_code.code)

        def authenticate_user(self, authorization_code: Code) -> dict[str, Any]:
            return authorization_code.user

    class Words(OpenIDCode):
        def exists_nonce(self, nonce: str, request: Any) -> bool:
            return any(code.nonce == nonce for code in codes.values())

        def resolve_client_private_key(self, client: Any) -> Any:
            return keys[told.key]

        def get_client_claims(self, client: Any) -> dict[str, Any]:
            return {"iss": address[0], "iat": told.now, "exp": told.now + 300, "auth_time": told.now}

        def get_encode_header(self, client: Any) -> dict[str, Any]:
            return {"alg": "RS256", "kid": keys[told.key].kid}

        def generate_user_info(self, user: dict[str, Any], scope: str) -> UserInfo:
            return UserInfo(user | told.claims)

    server = AuthorizationServer(
        app, lambda name: client if name == CLIENT else None, lambda token, request: None
    )
    server.register_grant(Grant, [Words(require_nonce=True), CodeChallenge(required=True)])

    @app.get("/.well-known/openid-configuration")
    def metadata() -> Any:
        own = {
            "issuer": address[0],
            "authorization_endpoint": f"{address[0]}/authorize",
            "token_endpoint": f"{address[0]}/token",
            "jwks_uri": f"{address[0]}/keys",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }
        return jsonify(own | told.metadata)

    @app.get("/keys")
    def public() -> Any:
        return jsonify(KeySet([keys[name] for name in published]).as_dict(private=False))

    @app.get("/authorize")
    def authorize() -> Any:
        return server.create_authorization_response(grant_user=told.user)

    @app.post("/token")
    def token() -> Any:
        answer = server.create_token_response()
        said = json.loads(answer.get_data())
        if told.alg != "RS256" and "id_token" in said:
            claims = jwt.decode(said["id_token"], keys["right"]).claims
            secret = {"none": b"", "HS256": SECRET.encode()}.get(
                told.alg, keys["right"].as_pem(private=False)
            )
            said["id_token"] = forged(claims, told.alg.split()[0], secret)
        return Response(json.dumps(said | told.answer), answer.status_code, mimetype="application/json")

    @app.post("/told")
    def tell() -> Any:
        for name, value in request.get_json().items():
            if name == "published":
                published[:] = value
            else:
                setattr(told, name, value)
        return jsonify({})

    return app


def forged(claims: dict[str, Any], alg: str, secret: bytes) -> str:
    """A token that nobody signed, or that was signed with what is no secret of the provider's."""

    def spelled(part: bytes) -> str:
        return urlsafe_b64encode(part).rstrip(b"=").decode()

    text = ".".join(spelled(json.dumps(part).encode()) for part in ({"alg": alg}, claims))
    proof = b"" if alg == "none" else hmac.digest(secret, text.encode(), "sha256")
    return f"{text}.{spelled(proof)}"


def main(redirect: str) -> None:
    """Serve until killed."""
    import logging

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    address: list[str] = []
    server = make_server("127.0.0.1", 0, made(redirect, address), threaded=True)
    address.append(f"http://127.0.0.1:{server.server_port}")
    print(address[0], flush=True)  # noqa: T201 (read by who started it)
    server.serve_forever()


if __name__ == "__main__":
    import sys

    main(sys.argv[1])
