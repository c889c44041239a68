"""Between the contract's messages and the domain's types."""

from collections.abc import Iterable, Sequence

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.auth.v1 import access_pb2, auth_pb2, auth_service_pb2
from antiphon_server.auth.model import (
    ApiKey,
    Position,
    Session,
    SignedIn,
    TokenPair,
    User,
    UserKind,
)
from antiphon_server.auth.service.signing_keys import SigningKey
from antiphon_server.auth.service.token_reader import ALGORITHM
from antiphon_server.auth.service.user_updates import Wishes
from antiphon_server.auth.service.users import NewUser, possible_name
from antiphon_server.runtime.access.permissions import Scope
from antiphon_server.runtime.access.principal import SessionId
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.addresses import LOCAL
from antiphon_server.runtime.rpc import times
from antiphon_server.runtime.rpc.field_masks import masked
from antiphon_server.runtime.rpc.paging import decode_page_token, encode_page_token


def timestamp(micros: int | None) -> Timestamp | None:
    """Encode a time of the domain; None stays unset."""
    return None if micros is None else times.timestamp(micros)


def user(one: User) -> auth_pb2.User:
    """Encode an account, without its secrets."""
    return auth_pb2.User(
        user_id=one.user_id,
        name=one.name,
        display_name=one.display_name,
        operator=one.operator,
        create_time=timestamp(one.create_time),
        kind=auth_pb2.UserKind.ValueType(one.kind),
        disabled=one.disabled,
    )


def session(one: Session, current: SessionId) -> auth_pb2.Session:
    """Encode a session, without its secrets."""
    return auth_pb2.Session(
        session_id=one.session_id,
        user_id=one.user_id,
        device=one.device,
        create_time=timestamp(one.create_time),
        last_use_time=timestamp(one.last_use_time),
        expire_time=timestamp(one.expire_time),
        current=one.session_id == current,
        final_expire_time=timestamp(one.final_expire_time),
        method=auth_pb2.LoginMethod.ValueType(one.method),
        provider=one.provider,
        first_address=_place(one.first_address),
        last_address=_place(one.last_address),
        scopes=_scopes(one.scopes),
    )


def signed_in(one: SignedIn) -> auth_service_pb2.LoginResponse:
    """Encode the result of a sign-in."""
    return auth_service_pb2.LoginResponse(tokens=tokens(one.tokens), user=user(one.user))


def tokens(pair: TokenPair) -> auth_pb2.TokenPair:
    """Encode a pair of tokens."""
    return auth_pb2.TokenPair(
        access_token=pair.access_token,
        access_expire_time=timestamp(pair.access_expire_time),
        refresh_token=pair.refresh_token,
        refresh_expire_time=timestamp(pair.refresh_expire_time if pair.refresh_token else None),
        session_id=pair.session_id,
    )


def api_key(key: ApiKey) -> auth_pb2.ApiKey:
    """Encode an API key, without its secret."""
    return auth_pb2.ApiKey(
        key_id=key.key_id,
        label=key.label,
        create_time=timestamp(key.create_time),
        expire_time=timestamp(key.expire_time),
        last_use_time=timestamp(key.last_use_time),
        user_id=key.user_id,
        scopes=_scopes(key.scopes),
        last_address=_place(key.last_address),
        parent_key_id=key.parent_key_id or "",
    )


def scopes(given: Iterable[int]) -> frozenset[Scope] | None:
    """Decode the scopes of a limited credential; None for an empty list, which limits nothing."""
    return frozenset(Scope(number) for number in given) or None


def _scopes(limits: frozenset[Scope] | None) -> list[access_pb2.Scope.ValueType]:
    return sorted(access_pb2.Scope.ValueType(scope.value) for scope in limits or ())


def _place(address: str) -> str:
    """Where somebody is; not said of the server's own process."""
    return "" if address == LOCAL else address


def web_keys(keys: Iterable[SigningKey]) -> list[auth_service_pb2.JsonWebKey]:
    """Encode public keys as JSON Web Keys (RFC 8037)."""
    return [
        auth_service_pb2.JsonWebKey(kid=key.kid, kty="OKP", crv="Ed25519", x=key.x, alg=ALGORITHM)
        for key in keys
    ]


def new_user(request: auth_service_pb2.CreateUserRequest) -> NewUser:
    """Decode the account to create."""
    return NewUser(
        name=request.name,
        password=request.password,
        display_name=request.display_name,
        operator=request.operator,
        request_id=request.request_id,
        kind=UserKind(request.kind or UserKind.PERSON),
        body=body(request),
    )


def body(request: Message) -> bytes:
    """Return the request's bytes, by which a repeated request is told from another one."""
    kind = request.DESCRIPTOR.full_name.encode()
    return kind + b"\0" + request.SerializeToString(deterministic=True)


def wishes(request: auth_service_pb2.UpdateUserRequest) -> Wishes:
    """Decode the requested changes of an account. Raises DomainError INVALID_ARGUMENT."""
    given = request.user
    paths = masked(request.update_mask, ("display_name", "operator", "disabled"))
    return Wishes(**{path: getattr(given, path) for path in paths})


def ttl(request: auth_service_pb2.CreateApiKeyRequest) -> int | None:
    """Decode the lifetime of a key in microseconds; None for a key that does not expire."""
    return request.ttl.ToMicroseconds() if request.HasField("ttl") else None


def position(page_token: str, listed: str) -> Position | None:
    """Decode where a page of ``listed`` begins. Raises DomainError PAGE_TOKEN_INVALID."""
    if not page_token.isascii():
        raise DomainError(Reason.PAGE_TOKEN_INVALID)
    fields = decode_page_token(page_token, listed, 2)
    if fields is None:
        return None
    time, item_id = fields
    if not (time.isascii() and time.isdigit() and len(time) <= 18):
        raise DomainError(Reason.PAGE_TOKEN_INVALID)
    return Position(int(time), item_id)


def after_name(page_token: str, prefix: str) -> str:
    """Decode the name after which a page of users begins. Raises DomainError PAGE_TOKEN_INVALID."""
    found = decode_page_token(page_token, _users(prefix), 1) if page_token.isascii() else ("é",)
    after = found[0] if found else ""
    if after and not possible_name(after):
        raise DomainError(Reason.PAGE_TOKEN_INVALID)
    return after


def next_users(page: Sequence[User], limit: int, prefix: str) -> str:
    """Encode the token of the next page of users."""
    return encode_page_token(_users(prefix), page[-1].name) if len(page) == limit else ""


def _users(prefix: str) -> str:
    """What a list of users is called: that of another prefix is another list."""
    return f"users {prefix.lower()}"


def sessions_of(user_id: str) -> str:
    """The name of a user's list of sessions, for page tokens."""
    return f"sessions of {user_id}"


def next_sessions(page: Sequence[Session], limit: int, listed: str) -> str:
    """Encode the token of the next page of sessions."""
    last = page[-1] if len(page) == limit else None
    return encode_page_token(listed, str(last.create_time), last.session_id) if last else ""


def api_keys_of(user_id: str) -> str:
    """The name of a user's list of keys, for page tokens."""
    return f"api keys of {user_id}"


def next_api_keys(page: Sequence[ApiKey], limit: int, listed: str) -> str:
    """Encode the token of the next page of keys."""
    last = page[-1] if len(page) == limit else None
    return encode_page_token(listed, str(last.create_time), last.key_id) if last else ""
