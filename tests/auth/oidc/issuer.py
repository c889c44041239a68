"""An OpenID provider on this machine that keeps the rules, unless it is told to break one."""

import base64
import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from antiphon_server.auth.service.id_tokens import half_hash

CLIENT = "antiphon"
SECRET = "the client's secret & more"
Claims = dict[str, Any]


@cache
def rsa_key(name: str = "first", bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key of that name, made once: that takes its time."""
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(name: str = "first") -> ec.EllipticCurvePrivateKey:
    """A P-256 key of that name."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def ed_key(name: str = "first") -> Ed25519PrivateKey:
    """An Ed25519 key of that name."""
    return Ed25519PrivateKey.generate()


def jwk(key: Any, kid: str | None = "first", **more: Any) -> dict[str, Any]:
    """The public part as a JSON web key."""
    if isinstance(key, rsa.RSAPrivateKey):
        found = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        found = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        found = jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    found.pop("key_ops", None)
    return dict(found) | ({"kid": kid} if kid else {}) | more


def segment(value: object) -> str:
    """A part of a JWT."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass(slots=True)
class Code:
    """What an authorization code stands for."""

    client: str
    redirect_uri: str
    nonce: str
    challenge: str


@dataclass(slots=True)
class Issuer:
    """The provider. ``bend`` changes an ID token's claims before it is signed, ``sign`` signs."""

    clock: Callable[[], float]
    path: str = ""
    subject: str = "sub-ann"
    says_issuer: bool = True
    bend: Callable[[Claims], Claims] = lambda claims: claims
    sign: Callable[["Issuer", Claims], str] = lambda issuer, claims: issuer.signed(claims)
    profile: Claims = field(default_factory=lambda: {"preferred_username": "Ann@example.org"})
    metadata: Claims = field(default_factory=dict)
    keys: list[Claims] = field(default_factory=lambda: [jwk(rsa_key())])
    down: set[str] = field(default_factory=set)
    fails: Callable[[], Awaitable[web.Response]] | None = None
    fetched: Counter[str] = field(default_factory=Counter)
    answer: Callable[[Claims], Claims] = lambda answer: answer
    forms: list[dict[str, str]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    codes: dict[str, Code] = field(default_factory=dict)
    base: str = ""
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get(f"{self.path}/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/keys", self._keys)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/token", self._token)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def issuer(self) -> str:
        """Its issuer identifier."""
        return f"{self.base}{self.path}"

    def claims(self, nonce: str | None = None, **more: Any) -> Claims:
        """The claims of an honest ID token."""
        now = int(self.clock())
        found: Claims = {"iss": self.issuer, "sub": self.subject, "aud": CLIENT}
        found |= {"iat": now, "exp": now + 300, "jti": secrets.token_urlsafe(8)}
        found |= self.profile | more
        return found | ({"nonce": nonce} if nonce is not None else {})

    def signed(self, claims: Claims, key: Any = None, alg: str = "RS256", **header: Any) -> str:
        """A token of these claims, by default signed with the provider's own key."""
        headers = {"kid": "first"} | header
        headers = {name: value for name, value in headers.items() if value is not None}
        payload = json.dumps(claims).encode()
        return jwt.PyJWS().encode(payload, key or rsa_key(), alg, headers=headers)

    async def browse(self, url: str) -> dict[str, str]:
        """Sign in with a browser: what it brings back to the redirect URI."""
        async with (
            aiohttp.ClientSession() as browser,
            browser.get(url, allow_redirects=False) as response,
        ):
            assert response.status == 302, await response.text()
            return dict(parse_qsl(urlsplit(response.headers["Location"]).query))

    async def _discovery(self, request: web.Request) -> web.Response:
        return await self._reply("discovery", self._metadata())

    async def _keys(self, request: web.Request) -> web.Response:
        return await self._reply("keys", {"keys": self.keys})

    def _metadata(self) -> Claims:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.base}/authorize",
            "token_endpoint": f"{self.base}/token",
            "jwks_uri": f"{self.base}/keys",
            "authorization_response_iss_parameter_supported": self.says_issuer,
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
        } | self.metadata

    async def _reply(self, what: str, document: Claims) -> web.Response:
        self.fetched[what] += 1
        return await self._failed() if what in self.down else web.json_response(document)

    async def _failed(self) -> web.Response:
        """How what is ``down`` answers."""
        return await self.fails() if self.fails else web.Response(status=503, text="down")

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = request.query
        self.authorizations.append(str(request.rel_url))
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = Code(
            asked["client_id"], asked["redirect_uri"], asked["nonce"], asked["code_challenge"]
        )
        back = {"code": code, "state": asked["state"]}
        if self.says_issuer:
            back["iss"] = self.issuer
        raise web.HTTPFound(f"{asked['redirect_uri']}?{urlencode(back)}")

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append(form)
        if "token" in self.down:
            return await self._failed()
        client = _client_of(request.headers.get("Authorization", ""), form)
        code = self.codes.pop(form["code"], None)
        if client is None:
            return web.json_response({"error": "invalid_client"}, status=401)
        if code is None or not _redeems(code, client, form):
            return web.json_response({"error": "invalid_grant"}, status=400)
        access_token = secrets.token_urlsafe(16)
        claims = self.claims(code.nonce, aud=client)
        claims |= {
            "at_hash": half_hash(access_token, "RS256"),
            "c_hash": half_hash(form["code"], "RS256"),
        }
        answer = {"access_token": access_token, "token_type": "Bearer"}
        answer["id_token"] = self.sign(self, self.bend(claims))
        return web.json_response(self.answer(answer))


def without(*names: str) -> Callable[[Claims], Claims]:
    """Claims without some."""
    return lambda claims: {name: value for name, value in claims.items() if name not in names}


def with_(**changed: Any) -> Callable[[Claims], Claims]:
    """Claims with other values."""
    return lambda claims: claims | changed


def _client_of(authorization: str, form: dict[str, str]) -> str | None:
    if not authorization:
        return form.get("client_id") if "client_secret" not in form else None
    given = base64.b64decode(authorization.removeprefix("Basic ")).decode()
    name, _, secret = given.partition(":")
    due = urlencode({"": SECRET}).removeprefix("=")
    return name if secret == due else None


def _redeems(code: Code, client: str, form: dict[str, str]) -> bool:
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    same_place = form.get("redirect_uri") == code.redirect_uri
    return code.client == client and same_place and segment(digest) == code.challenge
