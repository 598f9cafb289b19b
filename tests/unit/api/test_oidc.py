"""Tokens of an identity provider on loopback: good ones open the service, forged and foreign ones do not."""

import base64
import hmac
import json
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from api_world import World, close_world, open_world
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import ValidationError

from api import oidc
from api.oidc import SigningKeys, TokenJudge, claim_of, fetch_keys
from api.problem_json import ApiError
from api.settings import Settings

AUDIENCE = "shanlu"
RSA_KEY = rsa.generate_private_key(65_537, 2_048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = rsa.generate_private_key(65_537, 2_048)


class Provider(HTTPServer):
    """An identity provider: a discovery document and keys."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.named = self.issuer
        self.keys = [jwk(RSA_KEY, "one"), jwk(EC_KEY, "two")]
        self.fetches = 0


class Answer(BaseHTTPRequestHandler):
    """Answers as a provider does."""

    def do_GET(self) -> None:
        """Send the document of a path."""
        provider = self.server
        assert isinstance(provider, Provider)
        documents: dict[str, dict[str, Any]] = {
            "/.well-known/openid-configuration": {"issuer": provider.named, "jwks_uri": f"{provider.issuer}/keys"},
            "/keys": {"keys": provider.keys},
        }
        provider.fetches += self.path == "/keys"
        self.send_response(200 if self.path in documents else 404)
        self.end_headers()
        self.wfile.write(json.dumps(documents.get(self.path)).encode())

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def jwk(private: Any, key_id: str) -> dict[str, Any]:
    """Return the public half of a key as a provider tells it."""
    kind = jwt.algorithms.RSAAlgorithm if isinstance(private, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    found: dict[str, Any] = json.loads(kind.to_jwk(private.public_key()))
    return {**found, "kid": key_id, "use": "sig"}


@pytest.fixture
def provider() -> Iterator[Provider]:
    """Return a provider that answers."""
    started = Provider()
    threading.Thread(target=started.serve_forever, daemon=True).start()
    yield started
    started.shutdown()
    started.server_close()


@pytest.fixture
def world(provider: Provider, tmp_path: Path) -> Iterator[World]:
    """Return a service that takes the provider's tokens."""
    named = {"oidc_issuer": provider.issuer, "oidc_audience": AUDIENCE, "oidc_leeway_s": 5.0}
    opened = open_world(tmp_path, None, is_open=False, **named)
    opened.service.judge = TokenJudge(opened.service.settings)
    yield opened
    close_world(opened)


def token(provider: Provider, key: Any = RSA_KEY, algorithm: str = "RS256", kid: str = "one", **claims: Any) -> str:
    """Return a token; claims given as None are left out."""
    now = int(time.time())
    usual = {"iss": provider.issuer, "aud": AUDIENCE, "sub": "u1", "iat": now, "exp": now + 60, "tenant": "firm"}
    whole = {"scope": "openid shanlu:read", **usual, **claims}
    kept = {name: value for name, value in whole.items() if value is not None}
    return jwt.encode(kept, key, algorithm, headers={"kid": kid})


def asked(world: World, bearer: str, method: str = "GET") -> tuple[int, str | None]:
    """Return status and code of a request with a token."""
    headers = {"Authorization": f"Bearer {bearer}"}
    answer = world.client.request(method, "/v1/plans", json={} if method == "POST" else None, headers=headers)
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json().get("code")


def test_good_tokens(world: World, provider: Provider) -> None:
    """Tests that tokens of both kinds of key open the service, and keys of our own still do."""
    assert asked(world, token(provider)) == (200, None)
    assert asked(world, token(provider, EC_KEY, "ES256", "two")) == (200, None)
    assert asked(world, token(provider, aud=["other", AUDIENCE])) == (200, None)
    assert provider.fetches == 1
    assert asked(world, world.service.store.add_key("firm", ["read"], "")) == (200, None)
    assert world.client.get("/v1/plans").json()["code"] == "UNAUTHENTICATED"


def test_scopes_and_tenants(world: World, provider: Provider) -> None:
    """Tests that scopes allow what those of keys do, in words or a list, and that the tenant is the token's."""
    assert asked(world, token(provider), "POST") == (403, "FORBIDDEN")
    assert asked(world, token(provider, scope=None)) == (403, "FORBIDDEN")
    assert asked(world, token(provider, scope="read plan admin")) == (403, "FORBIDDEN")
    assert asked(world, token(provider, scope=["shanlu:plan"]), "POST") == (422, "INVALID_REQUEST")
    assert asked(world, token(provider, scope="shanlu:admin"), "POST") == (422, "INVALID_REQUEST")
    for tenant in (None, "", 7, "x" * 201):
        assert asked(world, token(provider, tenant=tenant)) == (401, "INVALID_TOKEN")
    judge = world.service.judge
    assert judge is not None
    assert judge.identify(token(provider, tenant="other")).tenant == "other"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": int(time.time()) - 3_600}, "TOKEN_EXPIRED"),
        ({"nbf": int(time.time()) + 3_600}, "INVALID_TOKEN"),
        ({"iat": int(time.time()) + 3_600}, "INVALID_TOKEN"),
        ({"aud": "another"}, "INVALID_TOKEN"),
        ({"iss": "https://elsewhere"}, "INVALID_TOKEN"),
        ({"exp": None}, "INVALID_TOKEN"),
        ({"aud": None}, "INVALID_TOKEN"),
        ({"sub": None}, "INVALID_TOKEN"),
        ({"kid": "unknown"}, "INVALID_TOKEN"),
        ({"kid": "two"}, "INVALID_TOKEN"),
        ({"key": OTHER_KEY}, "INVALID_TOKEN"),
        ({"algorithm": "RS512"}, "INVALID_TOKEN"),
    ],
)
def test_bad_tokens(world: World, provider: Provider, claims: dict[str, Any], code: str) -> None:
    """Tests that tokens that are old, foreign, incomplete or signed otherwise are refused with their code."""
    assert asked(world, token(provider, **claims)) == (401, code)


def test_forged_tokens(world: World, provider: Provider) -> None:
    """Tests that no signature, a public key used as a secret, a changed payload and rubbish are refused."""
    head, payload, signature = token(provider).split(".")
    unsigned = jwt.encode(jwt.decode(token(provider), options={"verify_signature": False}), None, "none")
    public = RSA_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    secret_head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT","kid":"one"}').rstrip(b"=").decode()
    mac = hmac.new(public, f"{secret_head}.{payload}".encode(), sha256).digest()
    shared = f"{secret_head}.{payload}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    other = token(provider, scope="shanlu:admin").split(".")[1]
    deep = base64.urlsafe_b64encode(b"[" * 10_000).rstrip(b"=").decode() + ".e30.x"
    for forged in (
        unsigned,
        shared,
        deep,
        f"{head}.{other}.{signature}",
        f"{head}.{payload}.",
        "a.b.c",
        "x",
        "y" * 20_000,
    ):
        assert asked(world, forged) == (401, "INVALID_TOKEN")


def test_clock_skew(world: World, provider: Provider) -> None:
    """Tests that clocks may differ by the leeway."""
    now = int(time.time())
    assert asked(world, token(provider, exp=now - 2, iat=now - 60)) == (200, None)
    assert asked(world, token(provider, exp=now - 20, iat=now - 60)) == (401, "TOKEN_EXPIRED")


def test_rotated_keys(provider: Provider) -> None:
    """Tests that a new key is found by its id, an old one ends, and invented ids cause no fetch each."""
    settings = Settings(oidc_issuer=provider.issuer, oidc_audience=AUDIENCE)
    now = 0.0
    keys = SigningKeys(lambda: fetch_keys(settings), lambda: now)
    assert keys.find("one") is not None
    provider.keys = [jwk(OTHER_KEY, "three")]
    assert keys.find("three") is None
    now = oidc.APART_S
    assert keys.find("three") is not None
    assert keys.find("one") is None
    for number in range(50):
        assert keys.find(f"invented-{number}") is None
    assert provider.fetches == 2
    now += oidc.KEPT_S + 1.0
    assert keys.find("three") is not None
    assert provider.fetches == 3


def test_provider_down() -> None:
    """Tests that without keys the provider is said to be down, and that keys once had serve while it is."""
    answers: list[dict[str, dict[str, Any]] | Exception] = [OSError("gone"), {"one": {}}, ValueError("rubbish")]
    now = 0.0

    def fetch() -> dict[str, dict[str, Any]]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    keys = SigningKeys(fetch, lambda: now)
    with pytest.raises(ApiError) as refused:
        keys.find("one")
    assert refused.value.code == "IDENTITY_PROVIDER_DOWN"
    assert refused.value.headers["Retry-After"] == "10"
    now = oidc.APART_S
    assert keys.find("one") == {}
    now += oidc.KEPT_S + 1.0
    assert keys.find("one") == {}


def test_documents_that_are_not_trusted(provider: Provider) -> None:
    """Tests that another issuer's discovery document, and addresses without TLS elsewhere, are refused."""
    settings = Settings(oidc_issuer=provider.issuer, oidc_audience=AUDIENCE)
    provider.named = "https://elsewhere"
    with pytest.raises(ValueError, match="another issuer"):
        fetch_keys(settings)
    for url in ("http://192.0.2.1/keys", "file:///etc/passwd"):
        with pytest.raises(ValueError, match="https"):
            fetch_keys(settings.model_copy(update={"oidc_jwks_url": url}))
    with pytest.raises(ValueError, match="holds no keys"):
        fetch_keys(settings.model_copy(update={"oidc_jwks_url": f"{provider.issuer}/.well-known/openid-configuration"}))


def test_settings_are_complete_and_asymmetric() -> None:
    """Tests that an issuer without an audience is refused, and so are signatures with a shared secret or none."""
    with pytest.raises(ValidationError, match="set together"):
        Settings(oidc_issuer="https://id")
    for algorithm in ("none", "HS256"):
        with pytest.raises(ValidationError):
            Settings(oidc_issuer="https://id", oidc_audience="a", oidc_algorithms=(algorithm,))


def test_claims_by_path() -> None:
    """Tests that claims are found by name first, then by a path of names."""
    claims = {"a.b": 1, "realm_access": {"roles": ["shanlu:read"]}}
    assert claim_of(claims, "a.b") == 1
    assert claim_of(claims, "realm_access.roles") == ["shanlu:read"]
    assert claim_of(claims, "realm_access.roles.x") is None
