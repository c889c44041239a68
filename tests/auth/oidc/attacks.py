"""What an attacker, or a provider that breaks the rules, may bring: table after table."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from antiphon_server.auth.model.identities import CodeAnswer
from tests.auth.oidc.issuer import (
    Claims,
    Issuer,
    ec_key,
    ed_key,
    jwk,
    rsa_key,
    segment,
    with_,
    without,
)
from tests.auth.oidc.rig import changed

Bend = Callable[[Claims], Claims]
Forge = Callable[[Issuer, Claims], str]
Change = Callable[[CodeAnswer], CodeAnswer]

# name -> (what is brought, the check that it fails)
ANSWERS: dict[str, tuple[Change, str]] = {
    "no state": (changed(state=""), "state"),
    "another state": (changed(state="A" * 43), "state"),
    "a longer state": (lambda it: changed(state=it.state + "A")(it), "state"),
    "a shorter state": (lambda it: changed(state=it.state[:-1])(it), "state"),
    "a state in capitals": (lambda it: changed(state=it.state.upper())(it), "state"),
    "a state beyond ASCII": (changed(state="\u00e9" * 43), "state"),
    "the secret as state": (lambda it: changed(state=it.login_secret)(it), "state"),
    "no issuer though it is promised": (changed(issuer=""), "issuer"),
    "another issuer": (changed(issuer="https://evil.example"), "issuer"),
    "an issuer with a slash": (lambda it: changed(issuer=it.issuer + "/")(it), "issuer"),
    "an issuer in capitals": (lambda it: changed(issuer=it.issuer.upper())(it), "issuer"),
    "a code that was not issued": (changed(code="no-such-code"), "code"),
    "a code cut short": (lambda it: changed(code=it.code[:-1])(it), "code"),
}
EXPIRED: dict[str, Change] = {
    "no secret": changed(login_secret=""),
    "another secret": changed(login_secret="A" * 43),
    "the state as secret": lambda it: changed(login_secret=it.state)(it),
    "the hash of the secret": lambda it: changed(
        login_secret=hashlib.sha256(it.login_secret.encode()).hexdigest()
    )(it),
    "a login that never began": changed(login_id="login_00000000000000000000000000"),
    "no login": changed(login_id=""),
    "a login in capitals": lambda it: changed(login_id=it.login_id.upper())(it),
    "a pattern for logins": changed(login_id="login_%"),
}
CLAIMS: dict[str, tuple[Bend, str]] = {
    "no issuer": (without("iss"), "issuer"),
    "another issuer": (with_(iss="https://evil.example"), "issuer"),
    "an issuer with a slash": (lambda it: it | {"iss": it["iss"] + "/"}, "issuer"),
    "an issuer with a path": (lambda it: it | {"iss": it["iss"] + "/x"}, "issuer"),
    "a list of issuers": (lambda it: it | {"iss": [it["iss"]]}, "issuer"),
    "no audience": (without("aud"), "audience"),
    "another audience": (with_(aud="another"), "audience"),
    "an audience in capitals": (with_(aud="ANTIPHON"), "audience"),
    "no audience in the list": (with_(aud=[]), "audience"),
    "an audience nobody knows beside ours": (with_(aud=["antiphon", "another"]), "audience"),
    "an audience that is a number": (with_(aud=1), "audience"),
    "an audience in an object": (with_(aud={"antiphon": True}), "audience"),
    "another authorized party": (with_(azp="another"), "authorized party"),
    "an authorized party in a list": (with_(azp=["antiphon"]), "authorized party"),
    "two audiences without a party": (with_(aud=["antiphon", "antiphon"]), "authorized party"),
    "no expiry": (without("exp"), "expiry"),
    "over": (lambda it: it | {"exp": it["iat"] - 61}, "expiry"),
    "expiry in words": (with_(exp="2099-01-01"), "expiry"),
    "expiry true": (with_(exp=True), "expiry"),
    "expiry null": (with_(exp=None), "expiry"),
    "never over": (with_(exp=float("inf")), "expiry"),
    "expiry that is no number": (with_(exp=float("nan")), "expiry"),
    "expiry before time began": (with_(exp=-1), "expiry"),
    "expiry beyond all time": (with_(exp=10**30), "expiry"),
    "no time of issue": (without("iat"), "time of issue"),
    "issued in an hour": (lambda it: it | {"iat": it["iat"] + 3600}, "time of issue"),
    "issued in words": (with_(iat="now"), "time of issue"),
    "not before an hour": (lambda it: it | {"nbf": it["iat"] + 3600}, "not before"),
    "not before in words": (with_(nbf="later"), "not before"),
    "no subject": (without("sub"), "subject"),
    "an empty subject": (with_(sub=""), "subject"),
    "a subject that is a number": (with_(sub=7), "subject"),
    "a subject too long": (with_(sub="s" * 256), "subject"),
    "a subject with a line in it": (with_(sub="sub\nann"), "subject"),
    "a subject that looks like another": (with_(sub="s\u0443b-ann"), "subject"),
}
BOUND: dict[str, tuple[Bend, str]] = {
    "no nonce": (without("nonce"), "nonce"),
    "another nonce": (with_(nonce="A" * 43), "nonce"),
    "a nonce in a list": (lambda it: it | {"nonce": [it["nonce"]]}, "nonce"),
    "an empty nonce": (with_(nonce=""), "nonce"),
    "a nonce of half a character": (with_(nonce="\ud800"), "nonce"),
    "the hash of another access token": (with_(at_hash=segment(bytes(16))), "at_hash"),
    "no hash in at_hash": (with_(at_hash=""), "at_hash"),
    "the hash of another code": (with_(c_hash=segment(bytes(16))), "c_hash"),
    "a hash that is null": (with_(c_hash=None), "c_hash"),
}


def unsigned(alg: Any) -> Forge:
    """No signature at all, by that algorithm's name."""
    return lambda issuer, claims: f"{segment({'alg': alg, 'kid': 'first'})}.{segment(claims)}."


def with_signature(header: Claims, signature: str = "") -> Forge:
    """A header of the attacker's making before a signature of the attacker's making."""

    def forge(issuer: Issuer, claims: Claims) -> str:
        return f"{segment(header)}.{segment(claims)}.{signature or segment(bytes(256))}"

    return forge


def hmac_signed(secret: Callable[[], bytes]) -> Forge:
    """HS256 with what everybody knows as the secret (RFC 8725, 2.1)."""

    def forge(issuer: Issuer, claims: Claims) -> str:
        signed = f"{segment({'alg': 'HS256', 'kid': 'first'})}.{segment(claims)}"
        return f"{signed}.{segment(hmac.digest(secret(), signed.encode(), 'sha256'))}"

    return forge


def signed_by(key: Callable[[], Any], alg: str = "RS256", **header: Any) -> Forge:
    """A right signature by a key of the attacker's."""
    return lambda issuer, claims: issuer.signed(claims, key(), alg, **header)


def tampered(change: Callable[[list[str]], list[str]]) -> Forge:
    """An honest token whose parts are changed afterwards."""
    return lambda issuer, claims: ".".join(change(issuer.signed(claims).split(".")))


def _public_pem() -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def mallory() -> Any:
    """The attacker's own key."""
    return rsa_key("mallory")


TOKENS: dict[str, tuple[Forge, str]] = {
    "alg none": (unsigned("none"), "form"),
    "alg None with a signature": (with_signature({"alg": "None"}), "algorithm"),
    "alg NONE with a signature": (with_signature({"alg": "NONE"}), "algorithm"),
    "alg none with a signature": (with_signature({"alg": "none"}), "algorithm"),
    "no alg": (with_signature({"kid": "first"}), "algorithm"),
    "an alg that is a number": (with_signature({"alg": 256}), "algorithm"),
    "an alg in a list": (with_signature({"alg": ["RS256"]}), "algorithm"),
    "alg with a blank": (with_signature({"alg": "RS256 "}), "algorithm"),
    "HS256 with the public key": (hmac_signed(_public_pem), "algorithm"),
    "HS256 with the modulus": (hmac_signed(lambda: jwk(rsa_key())["n"].encode()), "algorithm"),
    "HS256 with the key set": (
        hmac_signed(lambda: json.dumps(jwk(rsa_key())).encode()),
        "algorithm",
    ),
    "HS256 with nothing": (hmac_signed(lambda: b""), "algorithm"),
    "HS512": (with_signature({"alg": "HS512", "kid": "first"}), "algorithm"),
    "an algorithm that the provider does not use": (
        signed_by(rsa_key, "RS512"),
        "algorithm",
    ),
    "another's key under its id": (signed_by(mallory), "signature"),
    "another's key under another id": (signed_by(mallory, kid="mallory"), "key"),
    "another's key under no id": (signed_by(mallory, kid=None), "signature"),
    "another's key of another kind": (signed_by(ec_key, "ES256"), "key"),
    "an Ed25519 key nobody published": (signed_by(ed_key, "EdDSA"), "key"),
    "a key in the header": (
        lambda issuer, claims: issuer.signed(claims, mallory(), jwk=jwk(mallory())),
        "header",
    ),
    "a key by jku": (signed_by(mallory, jku="https://evil.example/keys"), "header"),
    "a key by x5u": (signed_by(mallory, x5u="https://evil.example/cert"), "header"),
    "a key by x5c": (signed_by(mallory, x5c=["MIIB"]), "header"),
    "its own key, and jku": (signed_by(rsa_key, jku="https://evil.example/keys"), "header"),
    "crit": (signed_by(rsa_key, crit=["exp"]), "form"),
    "b64 not encoded": (with_signature({"alg": "RS256", "b64": False, "crit": ["b64"]}), "form"),
    "zip": (signed_by(rsa_key, zip="DEF"), "header"),
    "an access token": (signed_by(rsa_key, typ="at+jwt"), "header"),
    "a logout token": (signed_by(rsa_key, typ="logout+jwt"), "header"),
    "a typ that is a number": (with_signature({"alg": "RS256", "typ": 1}), "header"),
    "a kid that is a number": (with_signature({"alg": "RS256", "kid": 1}), "form"),
    "a kid that is a path": (signed_by(mallory, kid="../../../../dev/null"), "key"),
    "a kid that is SQL": (signed_by(mallory, kid="' OR 1=1 --"), "key"),
    "a kid too long": (signed_by(rsa_key, kid="k" * 257), "key"),
    "more than 16 KiB": (
        lambda issuer, claims: issuer.signed(claims | {"x": "x" * (1 << 14)}),
        "form",
    ),
    "a header nested deeply": (
        lambda issuer, claims: f"{segment(b'[' * 9000)}.{segment(claims)}.{segment(b'x')}",
        "form",
    ),
    "claims nested deeply": (
        lambda issuer, claims: (
            issuer.signed(claims | {"x": json.loads("[" * 400 + "]" * 400)})[:-8] + "AAAAAAAA"
        ),
        "signature",
    ),
    "nothing": (lambda issuer, claims: "", "form"),
    "two dots": (lambda issuer, claims: "..", "form"),
    "four parts": (tampered(lambda parts: [*parts, parts[2]]), "form"),
    "encrypted": (lambda issuer, claims: "a.b.c.d.e", "form"),
    "padded": (tampered(lambda parts: [parts[0], parts[1], parts[2] + "=="]), "form"),
    "a line break": (tampered(lambda parts: [*parts[:2], parts[2] + "\n"]), "form"),
    "a signature cut short": (tampered(lambda parts: [*parts[:2], parts[2][:-2]]), "signature"),
    "no signature": (tampered(lambda parts: parts[:2]), "form"),
    "another's claims under its signature": (
        tampered(lambda parts: [parts[0], segment({"sub": "sub-root"}), parts[2]]),
        "signature",
    ),
    "another header under its signature": (
        tampered(lambda parts: [segment({"alg": "RS256"}), *parts[1:]]),
        "signature",
    ),
    "JSON": (lambda issuer, claims: json.dumps({"payload": segment(claims)}), "form"),
}
HUGE: dict[str, Forge] = {
    "a megabyte": lambda issuer, claims: issuer.signed(claims | {"x": "x" * (1 << 20)}),
    "a megabyte of header": signed_by(rsa_key, kid="k" * (1 << 20)),
}
REDIRECTS = [
    "https://evil.example/callback",
    "http://evil.example:4711/callback",
    "http://127.0.0.1:4711@evil.example/callback",
    "http://127.0.0.1:4711.evil.example/callback",
    "http://127.0.0.1.evil.example:4711/callback",
    "http://127.0.0.1:4711\\@evil.example/callback",
    "http://127.0.0.1:4711/callback#evil",
    "http://127.0.0.1:4711/callback?next=https://evil.example",
    "http://127.0.0.1:4711//evil.example",
    "http://127.0.0.1:4711/%2f%2fevil.example",
    "http://127.0.0.1:4711/callback\n",
    "http://127.0.0.1:4711/callback evil",
    "http://127.0.0.1:0/callback",
    "http://127.0.0.1:65536/callback",
    "http://127.0.0.1:04711/callback",
    "http://127.0.0.1/callback",
    "http://127.1:4711/callback",
    "http://2130706433:4711/callback",
    "http://0177.0.0.1:4711/callback",
    "http://0.0.0.0:4711/callback",
    "http://localhost:4711/callback",
    "http://localhost.evil.example:4711/callback",
    "http://user@127.0.0.1:4711/callback",
    "http://[::ffff:127.0.0.1]:4711/callback",
    "http://[::1%25eth0]:4711/callback",
    "http://[::2]:4711/callback",
    "http://\uff11\uff12\uff17.0.0.1:4711/callback",
    "HTTP://127.0.0.1:4711/callback",
    "https://127.0.0.1:4711/callback",
    "//127.0.0.1:4711/callback",
    "javascript:alert(1)",
    "data:text/html,hello",
    "file:///etc/passwd",
    "com.example.app:/callback",
    "http://127.0.0.1:4711/" + "a" * 1024,
    "https://app.example.org/callback/",
    "https://app.example.org/callback?x=1",
    "https://app.example.org/other",
    "https://app.example.org.evil.example/callback",
    "https://APP.example.org/callback",
    "http://app.example.org/callback",
]
