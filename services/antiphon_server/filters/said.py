"""What people say to context, looked at before it is kept: messages, and words about them."""

from collections.abc import Awaitable, Callable, Sequence

from antiphon.context.v1.message_pb2 import Message
from antiphon_server.context.filtering_room import Content, Conversation, Words, content_with
from antiphon_server.filters.model import Action, Origin, Room, Stage
from antiphon_server.filters.screening import Screener
from antiphon_server.filters.texts import room_of, texts_of, with_texts


async def screened(
    screener: Screener,
    conversation: Conversation,
    author: str,
    content: Content,
    said_before: Callable[[], Awaitable[bool]],
) -> Content:
    """What is left of a message, all if it was ``said_before``.

    Raises DomainError as :meth:`Screener.screen`.
    """
    message = Message.FromString(content.encoded)
    where = conversation.workspace_id, conversation.conversation_id
    texts = texts_of(message.parts, message.metadata, message.type)
    room = room_of(message.parts, message.metadata)
    origin = Origin(*where, Stage.MESSAGE, author)
    found = await screener.look(texts, origin, room)
    if not found.verdicts or await said_before():
        return content
    await screener.keep(found, origin)
    if found.action is not Action.SANITISE:
        return content
    parts, metadata = with_texts(message.parts, message.metadata, found.texts)
    return content_with(content, parts, metadata)


async def screened_words(
    screener: Screener, workspace_id: str, author: str, words: Words
) -> Sequence[str]:
    """What is left of words. Raises DomainError as :meth:`Screener.screen`."""
    origin = Origin(workspace_id, "", Stage.MESSAGE, author)
    room = Room([most for _, most in words])
    said = [text for text, _ in words]
    return (await screener.screen(said, origin, room, cuts_held=True)).texts
