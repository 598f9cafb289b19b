"""Bearer tokens of an OpenID Connect provider: whom they name and what they allow; keys kept for a while."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from api.error_codes import ErrorCode
from api.problem_json import ApiError
from api.settings import LOOPBACK_HOSTS, Settings
from geodata.errors import UnavailableError

KEPT_S = 600.0
"""How long fetched keys are used before they are fetched again."""
APART_S = 10.0
"""Least time between two fetches, so that tokens with invented key ids cause no more of them."""
FETCH_TIMEOUT_S = 5.0
MAX_DOCUMENT_BYTES = 1_000_000
MAX_TOKEN_CHARS = 16_000
MAX_NAME_CHARS = 200
_REQUIRED = ("iss", "aud", "sub", "iat", "exp")


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a token names: issuer and subject as the provider knows them, the tenant, and the scopes of ours it has."""

    subject: str
    tenant: str
    scopes: frozenset[str]


class SigningKeys:
    """The provider's public keys by id. A key id not known makes it look for new ones, so that keys can be rotated.

    Parameters
    ----------
    fetch
        Returns the keys' documents by id; may raise OSError or ValueError.
    clock
        Seconds of a clock that never goes back.
    """

    def __init__(
        self, fetch: Callable[[], Mapping[str, dict[str, Any]]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch, self._clock = fetch, clock
        self._keys: Mapping[str, dict[str, Any]] = {}
        self._fetched_s = self._tried_s = float("-inf")
        self._lock = threading.Lock()

    def find(self, key_id: str) -> dict[str, Any] | None:
        """Return a key, None where the provider has none of that id.

        Raises
        ------
        ApiError
            IDENTITY_PROVIDER_DOWN where no keys could be had yet; keys once fetched serve until newer ones come.
        """
        with self._lock:
            now = self._clock()
            stale = key_id not in self._keys or now - self._fetched_s > KEPT_S
            if stale and now - self._tried_s >= APART_S:
                self._tried_s = now
                self._refresh(now)
            if self._fetched_s == float("-inf"):
                detail = "The keys of the identity provider cannot be fetched."
                raise ApiError(ErrorCode.IDENTITY_PROVIDER_DOWN, detail, headers={"Retry-After": str(int(APART_S))})
            return self._keys.get(key_id)

    def _refresh(self, now: float) -> None:
        try:
            self._keys = self._fetch()
        except (OSError, ValueError):
            return
        self._fetched_s = now


class TokenJudge:
    """Tells whom a token names.

    Parameters
    ----------
    settings
        With `oidc_issuer` and `oidc_audience`.
    keys
        Of the provider; None: fetched from it.

    Raises
    ------
    UnavailableError
        If the library that verifies tokens is not installed.
    """

    def __init__(self, settings: Settings, keys: SigningKeys | None = None) -> None:
        try:
            import jwt  # noqa: PLC0415 - optional
        except ImportError:
            msg = "Tokens of an identity provider need: pip install 'shanlu[oidc]'."
            raise UnavailableError(msg) from None
        self._jwt, self._settings = jwt, settings
        self._keys = SigningKeys(lambda: fetch_keys(settings)) if keys is None else keys

    def identify(self, token: str) -> Identity:
        """Return whom a token names.

        Raises
        ------
        ApiError
            INVALID_TOKEN, TOKEN_EXPIRED, IDENTITY_PROVIDER_DOWN.
        """
        claims = self._verified(token)
        settings = self._settings
        tenant = claim_of(claims, settings.oidc_tenant_claim)
        if not isinstance(tenant, str) or not 0 < len(tenant) <= MAX_NAME_CHARS:
            raise _refused(
                ErrorCode.INVALID_TOKEN,
                f"The token has no tenant: the claim '{settings.oidc_tenant_claim}' is missing.",
            )
        granted = claim_of(claims, settings.oidc_scope_claim)
        words = granted.split() if isinstance(granted, str) else granted if isinstance(granted, list) else []
        prefix = settings.oidc_scope_prefix
        scopes = frozenset(str(word).removeprefix(prefix) for word in words if str(word).startswith(prefix))
        return Identity(f"{claims['iss']} {claims['sub']}", tenant, scopes)

    def _verified(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_TOKEN_CHARS:
            raise _refused(ErrorCode.INVALID_TOKEN, "The token is too long.")
        jwt, settings = self._jwt, self._settings
        try:
            header = jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            if algorithm not in settings.oidc_algorithms:
                raise _refused(ErrorCode.INVALID_TOKEN, "The token is not signed with an algorithm allowed here.")
            key = self._keys.find(str(header.get("kid", "")))
            if key is None or key.get("alg", algorithm) != algorithm or key.get("use", "sig") != "sig":
                raise _refused(ErrorCode.INVALID_TOKEN, "The token is signed with no key of the identity provider.")
            claims: dict[str, Any] = jwt.decode(
                token,
                jwt.PyJWK(key, algorithm),
                algorithms=[algorithm],
                audience=settings.oidc_audience,
                issuer=settings.oidc_issuer,
                leeway=settings.oidc_leeway_s,
                options={"require": list(_REQUIRED)},
            )
        except jwt.ExpiredSignatureError:
            raise _refused(ErrorCode.TOKEN_EXPIRED, "The token has expired.") from None
        except (jwt.PyJWTError, RecursionError) as error:  # a header may be nested deeper than JSON is read
            raise _refused(
                ErrorCode.INVALID_TOKEN, _FAULTS.get(type(error).__name__, "The token is not valid.")
            ) from None
        return claims


_FAULTS = {
    "InvalidAudienceError": "The token is for another audience.",
    "InvalidIssuerError": "The token is of another issuer.",
    "ImmatureSignatureError": "The token is not valid yet.",
    "InvalidSignatureError": "The signature of the token is not right.",
    "MissingRequiredClaimError": f"The token lacks one of the claims {', '.join(_REQUIRED)}.",
}
"""What is told of a token's fault, by the name of the library's error; nothing of the token itself."""


def _refused(code: ErrorCode, detail: str) -> ApiError:
    return ApiError(code, detail, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def claim_of(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim by its name, or by a path of names joined with dots; None where there is none."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def fetch_keys(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the provider's keys by id: from `oidc_jwks_url`, else from where its discovery document says.

    Raises
    ------
    OSError, ValueError
        If a document cannot be fetched, is none of its kind, or lies at an address without TLS on another machine.
    """
    assert settings.oidc_issuer is not None
    url = settings.oidc_jwks_url
    if url is None:
        found = _document(settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != settings.oidc_issuer:
            msg = "the discovery document is of another issuer"
            raise ValueError(msg)
        url = str(found.get("jwks_uri"))
    keys = _document(url).get("keys")
    if not isinstance(keys, list):
        msg = "the document holds no keys"
        raise ValueError(msg)  # noqa: TRY004 - any fault of the document is a ValueError, as json's own
    return {str(key["kid"]): key for key in keys if isinstance(key, dict) and "kid" in key}


def _document(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS):
        msg = "keys are only fetched by https"
        raise ValueError(msg)
    with urlopen(url, timeout=FETCH_TIMEOUT_S) as answer:  # noqa: S310 - the scheme was looked at
        document = json.loads(answer.read(MAX_DOCUMENT_BYTES))
    if not isinstance(document, dict):
        msg = "the document is no JSON object"
        raise ValueError(msg)  # noqa: TRY004 - as above
    return document
