"""The rules of messages."""

import hashlib

from antiphon_server.context.model.messages import (
    MAX_MESSAGE_BYTES,
    Content,
    Message,
    MessageId,
    NewMessage,
    Offset,
    Window,
)
from antiphon_server.context.model.resources import ConversationId, Role
from antiphon_server.context.ports import EventLog, Records, Store
from antiphon_server.context.service.access import require
from antiphon_server.context.service.conversations import get_conversation
from antiphon_server.context.service.pages import Page, number
from antiphon_server.context.service.projection import Projection
from antiphon_server.context.service.window import window
from antiphon_server.runtime.errors import DomainError, Reason, invalid
from antiphon_server.runtime.ids import new_id
from antiphon_server.runtime.paging import decode_page_token, encode_page_token
from antiphon_server.runtime.principal import Principal

MAX_PAGE_BYTES = 1 << 20


class Messages:
    """Posts messages to the log and reads them from its projection.

    Everything raises DomainError if the log or the store can't be used.
    """

    def __init__(self, store: Store, event_log: EventLog, projection: Projection) -> None:
        self._store = store
        self._log = event_log
        self._projection = projection

    async def post(
        self,
        principal: Principal,
        conversation_id: ConversationId,
        content: Content,
        request_id: str,
    ) -> Message:
        """Say something.

        Raises DomainError NOT_FOUND, PERMISSION_DENIED, CONVERSATION_ARCHIVED,
        INVALID_ARGUMENT (too large), REQUEST_ID_REUSED (in this conversation).
        """
        if len(content.encoded) > MAX_MESSAGE_BYTES:
            raise invalid("parts", "at most 1 MiB in all")
        message_id = _message_id(principal, conversation_id, request_id)
        said = await self._said_before(principal, conversation_id, message_id)
        if said is None:
            message = NewMessage(message_id, conversation_id, principal.actor, content)
            try:
                await self._log.post(message, f"post:{message_id}")
            except DomainError as error:
                raise _named(error, request_id) from None
            await self._projection.catch_up(conversation_id)
            said = await self._store.read(lambda r: r.messages.find(conversation_id, message_id))
        if said is None:
            raise DomainError(Reason.INTERNAL)
        if said.content != content:
            raise DomainError(Reason.REQUEST_ID_REUSED, request_id=request_id)
        return said

    async def _said_before(
        self, principal: Principal, conversation_id: ConversationId, message_id: MessageId
    ) -> Message | None:
        """The message as it was posted before; None if it may be posted now."""

        def work(records: Records) -> Message | None:
            conversation = get_conversation(records, principal, conversation_id, Role.MEMBER)
            said = records.messages.find(conversation_id, message_id)
            if said is None and conversation.archive_us:
                raise DomainError(Reason.CONVERSATION_ARCHIVED, conversation_id=conversation_id)
            return said

        return await self._store.read(work)

    async def list(
        self, principal: Principal, conversation_id: ConversationId, limit: int, token: str
    ) -> Page[Message]:
        """A page, the newest first, at most 1 MiB unless one message is larger.

        Raises DomainError NOT_FOUND, PAGE_TOKEN_INVALID.
        """
        fields = decode_page_token(token, 1)
        before = Offset(number(fields[0])) if fields else None
        await self._store.read(lambda r: require(r, principal, conversation_id, Role.VIEWER))
        await self._projection.catch_up(conversation_id)
        return await self._store.read(lambda r: _page(r, conversation_id, before, limit))

    async def window(
        self,
        principal: Principal,
        conversation_id: ConversationId,
        max_tokens: int,
        up_to: Offset,
    ) -> Window:
        """What a model should see; see :func:`window.window`. Raises DomainError NOT_FOUND."""
        conversation = await self._store.read(
            lambda r: get_conversation(r, principal, conversation_id, Role.VIEWER)
        )
        await self._projection.catch_up(conversation_id)
        return await self._store.read(lambda r: window(r, conversation, max_tokens, up_to))


def _page(
    records: Records, conversation_id: ConversationId, before: Offset | None, limit: int
) -> Page[Message]:
    """Sizes first, so that no more is loaded than is returned."""
    sizes = records.messages.sizes(conversation_id, before, limit + 1, rolled_back=True)
    if not sizes:
        return Page(())
    total, kept = 0, 0
    for one in sizes[:limit]:
        total += one.size_bytes
        if kept and total > MAX_PAGE_BYTES:
            break
        kept += 1
    oldest, newest = sizes[kept - 1].offset, sizes[0].offset
    found = records.messages.between(conversation_id, oldest, newest, rolled_back=True)
    return Page(found, encode_page_token(str(oldest)) if kept < len(sizes) else "")


def _message_id(
    principal: Principal, conversation_id: ConversationId, request_id: str
) -> MessageId:
    """The same for the same request of the same caller, so that a repeated one is recognised."""
    if not request_id:
        return MessageId(new_id("msg"))
    seed = "\0".join((principal.actor, conversation_id, request_id))
    return MessageId(f"msg_{hashlib.sha256(seed.encode()).hexdigest()[:26]}")


def _named(error: DomainError, request_id: str) -> DomainError:
    """The log's refusal, in terms of the caller's request id rather than ours."""
    if error.reason is Reason.REQUEST_ID_REUSED:
        return DomainError(Reason.REQUEST_ID_REUSED, request_id=request_id)
    return error
