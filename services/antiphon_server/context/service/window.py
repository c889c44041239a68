"""The window: the newest messages that fit a budget of tokens."""

from dataclasses import replace

from antiphon_server.context.model.messages import (
    Message,
    MessageSize,
    Offset,
    Totals,
    Window,
)
from antiphon_server.context.model.resources import Conversation, ConversationId
from antiphon_server.context.ports import Records

DEFAULT_TOKENS = 4096
MAX_WINDOW_BYTES = 3 << 20
"""An answer must fit a gRPC message of 4 MiB, whatever the budget is."""
A_MESSAGE_BYTES = 512
"""The most that a message's ids, author, times and framing take. So a window has no more
than 6,144 messages, fewer than a prompt may have."""
LAST_OFFSET = 2**63 - 1
"""No offset is behind it, and none that a store can hold."""
_FIRST_PAGE = 64
_LAST_PAGE = 4096


def window(records: Records, conversation: Conversation, max_tokens: int, up_to: Offset) -> Window:
    """The newest messages up to ``up_to`` (0: all) that fit; the newest one in any case.

    Reads what it keeps and a page more, however long the history is.
    """
    conversation_id = conversation.conversation_id
    before = Offset(up_to + 1) if 0 < up_to < LAST_OFFSET else None
    kept, tokens = _fitting(records, conversation_id, max_tokens, before)
    undone = records.messages.left_out(conversation_id, before).rolled_back
    if not kept:
        return Window(
            conversation.instructions, (), 0, Totals(0, 0), undone, tools=conversation.tools
        )
    oldest, newest = kept[-1].offset, kept[0].offset
    return Window(
        conversation.instructions,
        _oldest_first(records, conversation_id, oldest, newest),
        tokens,
        _omitted(records, conversation_id, oldest),
        undone,
        tools=conversation.tools,
    )


def size_of(message: Message) -> int:
    """The most that the message takes of an answer, in bytes."""
    return len(message.content.encoded) + A_MESSAGE_BYTES


def beside(message: Message, newer: Window, budget: int) -> Window:
    """``message``, which is older than the window, and the newest of that which fit with it."""
    kept: list[Message] = []
    tokens, size = message.content.tokens, size_of(message)
    for one in reversed(newer.messages):
        size += size_of(one)
        if tokens + one.content.tokens > budget or size > MAX_WINDOW_BYTES:
            break
        tokens += one.content.tokens
        kept.append(one)
    kept.append(message)
    kept.reverse()
    omitted = Totals(
        newer.omitted.messages + len(newer.messages) - len(kept),
        newer.omitted.tokens + newer.estimated_tokens - tokens,
    )
    return replace(newer, messages=tuple(kept), estimated_tokens=tokens, omitted=omitted)


def _fitting(
    records: Records, conversation_id: ConversationId, budget: int, before: Offset | None
) -> tuple[list[MessageSize], int]:
    """What fits, the newest first, and what it costs. Pages grow, so they are few."""
    kept: list[MessageSize] = []
    tokens = size = 0
    limit = _FIRST_PAGE
    while True:
        page = records.messages.sizes(conversation_id, before, limit, rolled_back=False)
        for one in page:
            tokens, size = tokens + one.tokens, size + one.size_bytes + A_MESSAGE_BYTES
            if kept and (tokens > budget or size > MAX_WINDOW_BYTES):
                return kept, tokens - one.tokens
            kept.append(one)
        if len(page) < limit:
            return kept, tokens
        before, limit = page[-1].offset, min(limit * 2, _LAST_PAGE)


def _oldest_first(
    records: Records, conversation_id: ConversationId, oldest: Offset, newest: Offset
) -> tuple[Message, ...]:
    found = records.messages.between(conversation_id, oldest, newest, rolled_back=False)
    return tuple(reversed(found))


def _omitted(records: Records, conversation_id: ConversationId, oldest: Offset) -> Totals:
    everything = records.messages.totals(conversation_id, oldest)
    strange = records.messages.left_out(conversation_id, oldest).every
    return Totals(everything.messages - strange.messages, everything.tokens - strange.tokens)
