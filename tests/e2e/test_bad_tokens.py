"""Forged tokens and wrong credentials."""

import base64
import json
from typing import Any

import grpc
import pytest

from antiphon.auth.v1.auth_service_pb2 import LoginRequest, PasswordCredential
from antiphon.context.v1 import context_service_pb2 as context_pb
from tests.e2e.callers import Caller
from tests.e2e.calls import Calls
from tests.e2e.refusals import refused

pytestmark = pytest.mark.asyncio(loop_scope="module")


def _changed(token: str, **claims: Any) -> str:
    """The token with other claims, and its old signature."""
    head, body, signature = token.split(".")
    known = json.loads(base64.urlsafe_b64decode(body + "=="))
    changed = json.dumps(known | claims).encode()
    return f"{head}.{base64.urlsafe_b64encode(changed).decode().rstrip('=')}.{signature}"


def _headed(token: str, **header: Any) -> str:
    _, body, signature = token.split(".")
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return f"{head}.{body}.{signature}"


async def test_forged_tokens_are_refused(call: Calls) -> None:
    """A token that was changed in any way is TOKEN_INVALID, and a lack of one UNAUTHENTICATED."""
    good = call.caller.token
    forged = [
        _changed(good, operator=True),
        _changed(good, exp=9_999_999_999),
        _changed(good, kind="service", sub="dispatcher"),
        _headed(good, alg="none", typ="at+jwt"),
        _headed(good, alg="HS256", typ="at+jwt"),
        good[:-4] + "AAAA",
        good + "=",
        "x",
        "x" * 9000,
    ]
    method, request = call.context.ListConversations, context_pb.ListConversationsRequest()
    for token in forged:
        metadata = (("authorization", f"Bearer {token}"),)
        assert await refused(method(request, metadata=metadata)) == "TOKEN_INVALID", token[:40]
    assert await refused(method(request)) == "UNAUTHENTICATED"
    basic = (("authorization", f"Basic {good}"),)
    assert await refused(method(request, metadata=basic)) == "UNAUTHENTICATED"


async def test_wrong_credentials_are_one_error(call: Calls, anna: Caller) -> None:
    """Unknown names, wrong passwords and wrong keys are told apart by nothing."""
    wrong = [
        LoginRequest(password=PasswordCredential(name="nobody", password="wrong")),
        LoginRequest(password=PasswordCredential(name=anna.name, password="wrong")),
    ]
    statuses = set()
    for request in wrong:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.auth.Login(request)
        statuses.add((caught.value.code(), caught.value.details()))
        assert await refused(call.auth.Login(request)) == "CREDENTIALS_INVALID"
    assert len(statuses) == 1
