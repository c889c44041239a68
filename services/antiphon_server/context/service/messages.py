"""The rules of messages."""

from collections.abc import Callable
from dataclasses import replace

from antiphon_server.context.model.erasure_tasks import CONVERSATION
from antiphon_server.context.model.messages import (
    MAX_MESSAGE_BYTES,
    Content,
    Message,
    MessageId,
    MessageRole,
    NewMessage,
    Offset,
    Placed,
    Window,
)
from antiphon_server.context.model.resources import Conversation, ConversationId
from antiphon_server.context.ports import Clock, EventLog, Records, ScreensMessages, Store
from antiphon_server.context.service.directory import Directory
from antiphon_server.context.service.pages import MAX_PAGE_BYTES, Page, number
from antiphon_server.context.service.projection import Projection
from antiphon_server.context.service.repeats import Repeat, Wish
from antiphon_server.context.service.speakers import Speakers
from antiphon_server.context.service.tails import Tails
from antiphon_server.context.service.window import DEFAULT_TOKENS, beside, window
from antiphon_server.runtime.access.permissions import Permission
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.errors import DomainError, Reason, invalid, not_found
from antiphon_server.runtime.rpc.paging import decode_page_token, encode_page_token


class Messages:
    """Posts messages to the log and reads them from its projection.

    ``active`` is told where and when something was said, in microseconds since 1970; ``watches``
    that it will be, and says for how many seconds it is to be refused.
    Everything raises DomainError if the log or the store can't be used.
    """

    def __init__(
        self,
        store: Store,
        directory: Directory,
        event_log: EventLog,
        projection: Projection,
        tails: Tails,
        clock: Clock,
        speakers: Speakers,
        active: Callable[[ConversationId, int], None],
        filters: ScreensMessages | None = None,
        watches: Callable[[Principal, Conversation, Content], float] | None = None,
    ) -> None:
        self._store = store
        self._filters = filters
        self._watches = watches
        self._active = active
        self._directory = directory
        self._log = event_log
        self._projection = projection
        self._clock = clock
        self._tails = tails
        self._speakers = speakers

    async def post(
        self,
        principal: Principal,
        conversation_id: ConversationId,
        content: Content,
        request_id: str,
    ) -> Message:
        """Say something.

        Raises DomainError NOT_FOUND, PERMISSION_DENIED, CONVERSATION_ARCHIVED, CONVERSATION_ERASED,
        INVALID_ARGUMENT (too large), REQUEST_ID_REUSED (in this conversation), CONTENT_BLOCKED,
        FILTER_UNAVAILABLE, THROTTLED.
        """
        if content.parts_bytes > MAX_MESSAGE_BYTES:
            raise invalid("parts", "at most 1 MiB in all")
        conversation = await self._directory.find(principal, conversation_id, Permission.WRITE)
        wait = self._watches(principal, conversation, content) if self._watches else 0.0
        wish = Wish(principal.actor, conversation_id, content, request_id, self._clock())
        repeat = Repeat(self._store, self._projection, wish)
        if wait and not await repeat():
            raise DomainError(Reason.THROTTLED, retry_after=wait)
        content = await self._screened(principal, conversation, content, repeat)
        if repeat.said is not None or (conversation.archive_us and await repeat()):
            return _the(repeat.said)
        if conversation.archive_us:
            raise await self._closed(conversation_id)
        return await self._post(replace(wish, content=content), repeat)

    async def _closed(self, conversation_id: ConversationId) -> DomainError:
        """Why nothing is taken there."""
        resource = CONVERSATION + conversation_id
        task = await self._store.read(lambda r: r.erasure_tasks.get(resource), snapshot=False)
        reason = Reason.CONVERSATION_ARCHIVED if task is None else Reason.CONVERSATION_ERASED
        return DomainError(reason, conversation_id=conversation_id)

    async def _screened(
        self, principal: Principal, conversation: Conversation, content: Content, repeat: Repeat
    ) -> Content:
        """What filters leave of it, who say nothing of what was said before."""
        if self._filters is None or not self._filters.stand(conversation.workspace_id):
            return content
        left = await self._filters.screened(conversation, principal.actor, content, repeat)
        if left != content and not conversation.archive_us:
            await repeat.keep()
        return left

    async def _post(self, wish: Wish, repeat: Repeat) -> Message:
        for message in wish.messages():
            try:
                said = _said(message, await self._log.post(message, wish.log_request))
            except DomainError as error:
                if error.reason is not Reason.REQUEST_ID_REUSED:
                    raise
            else:
                self._active(wish.conversation_id, said.create_us)
                return said
        if await repeat.was_cut() and await repeat():
            return _the(repeat.said)
        raise DomainError(Reason.REQUEST_ID_REUSED, request_id=wish.request_id)

    async def list(
        self, principal: Principal, conversation_id: ConversationId, limit: int, token: str
    ) -> Page[Message]:
        """A page, the newest first, at most 1 MiB unless one message is larger.

        Raises DomainError NOT_FOUND, PAGE_TOKEN_INVALID.
        """
        fields = decode_page_token(token, _listed(conversation_id), 1)
        before = Offset(number(fields[0])) if fields else None
        await self._directory.find(principal, conversation_id, Permission.READ)
        await self._projection.catch_up(conversation_id)
        return await self._store.read(lambda r: _page(r, conversation_id, before, limit))

    async def window(
        self,
        principal: Principal,
        conversation_id: ConversationId,
        max_tokens: int,
        up_to: Offset,
        answered: MessageId,
    ) -> Window:
        """What a model should see, the message ``answered`` (empty: none) in any case.

        See :func:`window.window`. Raises DomainError NOT_FOUND, also if that message is
        not in the context.
        """
        conversation = await self._directory.find(principal, conversation_id, Permission.READ)
        budget = max_tokens or DEFAULT_TOKENS
        found = await self._newest(conversation, budget, up_to)
        if answered and all(it.message_id != answered for it in reversed(found.messages)):
            asked = await self._aside(conversation_id, answered)
            if asked is not None:
                found = beside(asked, found, budget)
                return replace(found, messages=(*found.messages[1:], asked))
            found = beside(await self._older(found, conversation_id, answered), found, budget)
        # A model is told who says what; who else may know people's names asks for them.
        if principal.kind not in ("service", "grant"):
            return found
        return replace(found, speakers=await self._speakers.of(conversation_id, found))

    async def _newest(self, conversation: Conversation, budget: int, up_to: Offset) -> Window:
        conversation_id = conversation.conversation_id
        if up_to:
            await self._projection.catch_up(conversation_id)
            return await self._store.read(lambda r: window(r, conversation, budget, up_to))
        remembered = await self._tails.window(conversation, budget)
        if remembered is not None:
            return remembered
        cursor = await self._projection.catch_up(conversation_id)
        found = await self._store.read(lambda r: window(r, conversation, budget, up_to))
        self._tails.keep(conversation, found, budget, cursor)
        return found

    async def _aside(
        self, conversation_id: ConversationId, message_id: MessageId
    ) -> Message | None:
        """A message that one worker has asked another: it stands in the prompt of that alone."""
        await self._projection.catch_up(conversation_id)
        found = await self._store.read(lambda r: r.messages.find(conversation_id, message_id))
        return found if found is not None and found.content.aside else None

    async def _older(
        self, newer: Window, conversation_id: ConversationId, message_id: MessageId
    ) -> Message:
        """A message from before that window. What is newer or rolled back is not found."""
        await self._projection.catch_up(conversation_id)
        found = await self._store.read(lambda r: _in_context(r, conversation_id, message_id))
        if found is None or not newer.messages or found.offset > newer.messages[0].offset:
            raise not_found(message_id)
        return found


def _in_context(
    records: Records, conversation_id: ConversationId, message_id: MessageId
) -> Message | None:
    found = records.messages.find(conversation_id, message_id)
    if found is None:
        return None
    place = found.offset
    alive = records.messages.between(conversation_id, place, place, rolled_back=False)
    return alive[0] if alive else None


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
    if kept == len(sizes):
        return Page(found)
    return Page(found, encode_page_token(_listed(conversation_id), str(oldest)))


def _listed(conversation_id: ConversationId) -> str:
    return f"messages of {conversation_id}"


def _the(message: Message | None) -> Message:
    assert message is not None, "it was said"
    return message


def _said(message: NewMessage, place: Placed) -> Message:
    return Message(
        message.message_id,
        message.conversation_id,
        place.offset,
        MessageRole.USER,
        message.author,
        "",
        False,
        place.create_us,
        message.content,
    )
