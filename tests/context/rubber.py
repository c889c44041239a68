"""Who erases in a world."""

from collections.abc import Sequence
from typing import Any, cast

from google.protobuf.message import Message

from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.dispatcher.v1.dispatcher_service_pb2 import EraseTurnsResponse
from antiphon.events.v1 import event_pb2
from antiphon.integration.v1.tool_service_pb2 import EraseToolResultsResponse
from antiphon.memory.v1.forgetting_service_pb2 import ForgetSourcesResponse
from antiphon_server.context.adapters.sql import SqlStore
from antiphon_server.context.adapters.words import WordsElsewhere
from antiphon_server.context.encoding import encoded_message, texts_of
from antiphon_server.context.model.erasures import Erasure, Redacted
from antiphon_server.context.model.messages import MessageId
from antiphon_server.context.model.resources import ConversationId
from antiphon_server.context.service.erasing import Erasing
from antiphon_server.context.service.projection import Projection
from antiphon_server.context.service.tails import Tails
from antiphon_server.runtime.encoding.titles import Beginning
from antiphon_server.runtime.errors import DomainError, Reason
from tests.context.stand_ins import ANN, BOB, Tokens
from tests.context.world import World


class Unclean(SqlStore):
    """Files that can't be cleaned while ``read`` is set."""

    busy = False

    async def scrub(self, *, copies: bool = False) -> None:
        if self.busy:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        await super().scrub(copies=copies)


class Counted(WordsElsewhere):
    """``redactions`` are how often something was erased in the log."""

    redactions = 0

    async def redact(
        self,
        erasure: Erasure,
        beginnings: Sequence[Beginning] = (),
        *,
        validate_only: bool = False,
    ) -> Redacted:
        self.redactions += not validate_only
        return await super().redact(erasure, beginnings, validate_only=validate_only)


class Nothing:
    """Other services, which have nothing of what is erased."""

    async def EraseTurns(self, request: Message, timeout: float) -> EraseTurnsResponse:
        return EraseTurnsResponse()

    async def EraseToolResults(self, request: Message, timeout: float) -> EraseToolResultsResponse:
        return EraseToolResultsResponse()

    async def ForgetSources(self, request: Message, timeout: float) -> ForgetSourcesResponse:
        return ForgetSourcesResponse()


class Rubber:
    """Erases in a world."""

    def __init__(self, world: World) -> None:
        self.world, nothing = world, cast(Any, Nothing())
        self.store = Unclean(world.database)
        self.words = Counted(world.log_service.stub, nothing, nothing, nothing)
        self.erasing = Erasing(
            self.store,
            Projection(self.store, world.log),
            Tails(world.log, encoded_message, world.clock),
            world.context.changes,
            self.words,
            world.clock,
            texts_of,
        )

    async def erase(self, conversation_id: str, message_id: str, user: str = ANN) -> None:
        """Erase a message."""
        of, what = ConversationId(conversation_id), [MessageId(message_id)]
        await self.erasing.erase(await Tokens().verify(user), of, what, answers=False)

    async def titles(self, conversation_id: str) -> list[str]:
        """What Ann is told, and has been told in any log, that the conversation is called."""
        get = pb.GetConversationRequest(conversation_id=conversation_id)
        now = (await self.world.client(ANN).GetConversation(get)).conversation.title
        scopes = f"conversations/{conversation_id}", f"users/{ANN}", f"users/{BOB}"
        events = [event for it in scopes for event in (await self.world.events(it)).events]
        return [now, *filter(None, map(_title, events))]

    async def waiting(self) -> int:
        """How many erasures are not done."""
        return len(await self.store.read(lambda r: r.erasures.waiting(100)))


def _title(event: event_pb2.Event) -> str:
    return event.conversation_created.conversation.title or (
        event.conversation_updated.conversation.title
    )
