"""The small world that is fuzzed: an operator and a user, each with things of their own."""

import itertools
from typing import Any

import grpc
from google.protobuf.message import Message

from antiphon.auth.v1 import auth_service_pb2 as auth
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.context.v1 import context_service_pb2 as context
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1 import dispatcher_service_pb2 as dispatcher
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon.events.v1 import event_service_pb2 as events
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from tests.proofs.wire.pool import Pool

NAME = "fuzzed"
PASSWORD = "correct horse battery"
DEADLINE_S = 20.0
KEPT = 4
TRIES = 5
FORGED = "e30.e30." + "A" * 86
ENDED = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
"""What a key is refused with that was revoked, and one of an account that was disabled."""
LOST = frozenset({"SESSION_REVOKED", "TOKEN_EXPIRED", "TOKEN_INVALID"})
"""Reasons for which one signs in again; the last comes of keys that were called compromised."""


class World:
    """Who calls, with which token; and the pools that their requests are made from."""

    def __init__(self, channel: grpc.aio.Channel, operator_key: str) -> None:
        self._auth: Any = AuthServiceStub(channel)
        self._context: Any = ContextServiceStub(channel)
        self._dispatcher: Any = DispatcherServiceStub(channel)
        self._events: Any = EventServiceStub(channel)
        self._keys = {"operator": operator_key}
        self._tokens: dict[str, str] = {"forged": FORGED, "nobody": ""}
        self._numbers = itertools.count()
        self.pools = {"operator": Pool(), "user": Pool()}

    def token(self, who: str) -> str:
        """What that one calls with."""
        return self._tokens[who]

    def learn(self, who: str, answer: Message) -> None:
        """Take cursors and page tokens from an answer."""
        if who in self.pools:
            self.pools[who].learn(answer)

    def names(self, who: str) -> dict[str, str]:
        """The caller's newest ids, by names for them that hold in any world."""
        pool = self.pools.get(who)
        own = {prefix: ids[-1] for prefix, ids in pool.own.items()} if pool else {}
        return {f"{prefix}_own".ljust(len(known), "0"): known for prefix, known in own.items()}

    async def begin(self) -> None:
        """Make the user, sign both in, and give each something."""
        await self.sign_in("operator")
        await self._make_user()
        for who in self.pools:
            await self._give_once(who)
        await self.renew()

    async def sign_in(self, who: str) -> None:
        """Begin another session, for one that was ended.

        Where the operator has ended the user's key, too, or the account, it is another user.
        """
        credential = auth.ApiKeyCredential(api_key=self._keys[who])
        login = auth.LoginRequest(api_key=credential)
        try:
            signed = await self._auth.Login(login, timeout=DEADLINE_S)
        except grpc.aio.AioRpcError as error:
            if who != "user" or error.code() not in ENDED:
                raise
            await self._make_user()
        else:
            self._tokens[who] = signed.tokens.access_token

    async def _make_user(self) -> None:
        name = f"{NAME}{next(self._numbers)}"
        made = auth.CreateUserRequest(name=name, password=PASSWORD)
        await self._call("operator", self._auth.CreateUser, made)
        credential = auth.PasswordCredential(name=name, password=PASSWORD)
        signed = await self._auth.Login(auth.LoginRequest(password=credential), timeout=DEADLINE_S)
        self._tokens["user"] = signed.tokens.access_token
        key = await self._call("user", self._auth.CreateApiKey, auth.CreateApiKeyRequest(label="f"))
        self._keys["user"] = key.secret

    async def renew(self) -> None:
        """Give each new things, for those that were archived."""
        for who, pool in self.pools.items():
            await self.sign_in(who)
            for prefix, found in (await self._new_things(who)).items():
                kept = pool.own.setdefault(prefix, [])
                kept.append(found)
                del kept[:-KEPT]
        user, operator = self.pools["user"], self.pools["operator"]
        user.foreign, operator.foreign = operator.own, user.own

    async def _give_once(self, who: str) -> None:
        """Spare things, which may be revoked."""
        key = await self._call(
            who, self._auth.CreateApiKey, auth.CreateApiKeyRequest(label="spare")
        )
        spare = auth.LoginRequest(api_key=auth.ApiKeyCredential(api_key=key.secret))
        signed = await self._auth.Login(spare, timeout=DEADLINE_S)
        pool = self.pools[who]
        pool.own = {
            "key": [key.api_key.key_id],
            "user": [signed.user.user_id],
            "sess": [signed.tokens.session_id],
        }
        tokens = signed.tokens
        pool.tokens += [tokens.access_token, tokens.refresh_token, key.secret, FORGED]

    async def _new_things(self, who: str) -> dict[str, str]:
        """Things under the next number, unless a spoiled request took it."""
        while True:
            try:
                return await self._things(who)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
                    raise

    async def _things(self, who: str) -> dict[str, str]:
        number = next(self._numbers)
        workspace = await self._call(
            who, self._context.CreateWorkspace, context.CreateWorkspaceRequest(display_name="f")
        )
        made = context.CreateConversationRequest(
            workspace_id=workspace.workspace.workspace_id,
            conversation_id=f"conv_{who}-{number:06}",
        )
        await self._call(who, self._context.CreateConversation, made)
        turn = dispatcher.DispatchRequest(
            conversation_id=made.conversation_id,
            turn_id=f"turn_{who}-{number:06}",
            handler="echo",
            parts=[Part(text="hello")],
        )
        await self._call(who, self._dispatcher.Dispatch, turn)
        scope = f"conversations/{made.conversation_id}"
        self.learn(
            who, await self._call(who, self._events.GetHead, events.GetHeadRequest(scope=scope))
        )
        return {"ws": made.workspace_id, "conv": made.conversation_id, "turn": turn.turn_id}

    async def _call(self, who: str, method: Any, request: Message) -> Any:
        """Call; the fuzzer may just have ended the session."""
        for _ in range(TRIES):
            metadata = (("authorization", f"Bearer {self.token(who)}"),)
            try:
                return await method(request, metadata=metadata, timeout=DEADLINE_S)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAUTHENTICATED:
                    raise
                await self.sign_in(who)
        raise RuntimeError(f"{who} can't stay signed in")
