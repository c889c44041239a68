"""The contract's messages <-> workspaces, conversations, members and messages."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message as Protobuf
from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.auth.v1 import access_pb2
from antiphon.context.v1 import context_service_pb2, conversation_pb2, message_pb2, notice_pb2
from antiphon_server.context.model.changes import Answer, Repeatable, RequestKey
from antiphon_server.context.model.messages import (
    Content,
    Message,
    MessageId,
    MessageRole,
    Offset,
    Window,
)
from antiphon_server.context.model.notices import Notice, NoticeId
from antiphon_server.context.model.resources import (
    Conversation,
    ConversationId,
    Labels,
    Member,
    ResourceId,
    Role,
    TurnPolicy,
    Workspace,
    WorkspaceId,
    etag,
)
from antiphon_server.context.ports import Speaking
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.encoding.fingerprints import fingerprint
from antiphon_server.runtime.errors import invalid
from antiphon_server.runtime.rpc.times import timestamp

T = TypeVar("T")
M = TypeVar("M", bound=Protobuf)
MESSAGES_OF_WINDOW = context_service_pb2.GetContextResponse.MESSAGES_FIELD_NUMBER
_MAX_INT32 = (1 << 31) - 1
_CONTENT = frozenset({"parts", "aside", "type", "metadata", "erased"})
_BESIDE_CONTENT = frozenset(message_pb2.Message.DESCRIPTOR.fields_by_name) - _CONTENT


def microseconds(time: Timestamp) -> int:
    """A Timestamp as microseconds since 1970."""
    return time.seconds * 1_000_000 + time.nanos // 1000


def workspace(it: Workspace) -> conversation_pb2.Workspace:
    """Encode a workspace."""
    return conversation_pb2.Workspace(
        workspace_id=it.workspace_id,
        display_name=it.display_name,
        create_time=timestamp(it.create_us),
        archive_time=timestamp(it.archive_us) if it.archive_us else None,
        etag=etag(it.version),
    )


def workspace_of(it: conversation_pb2.Workspace) -> Workspace:
    """Decode a workspace that :func:`workspace` encoded."""
    return Workspace(
        WorkspaceId(it.workspace_id),
        it.display_name,
        microseconds(it.create_time),
        microseconds(it.archive_time) or None,
        _version(it.etag),
    )


def conversation(it: Conversation) -> conversation_pb2.Conversation:
    """Encode a conversation."""
    return conversation_pb2.Conversation(
        conversation_id=it.conversation_id,
        workspace_id=it.workspace_id,
        title=it.title,
        turn_policy=conversation_pb2.TurnPolicy.ValueType(it.turn_policy),
        models=it.models,
        instructions=it.instructions,
        create_time=timestamp(it.create_us),
        archive_time=timestamp(it.archive_us) if it.archive_us else None,
        etag=etag(it.version),
        max_output_tokens=it.max_output_tokens,
        tools=it.tools,
        last_activity_time=timestamp(it.last_activity_us),
        labels=dict(it.labels),
        language=it.language,
        title_author=it.title_author,
    )


def conversation_of(it: conversation_pb2.Conversation) -> Conversation:
    """Decode a conversation that :func:`conversation` encoded."""
    return Conversation(
        ConversationId(it.conversation_id),
        WorkspaceId(it.workspace_id),
        it.title,
        TurnPolicy(it.turn_policy),
        tuple(it.models),
        it.instructions,
        microseconds(it.create_time),
        microseconds(it.archive_time) or None,
        _version(it.etag),
        microseconds(it.last_activity_time),
        it.max_output_tokens,
        tuple(it.tools),
        labels_of(it.labels),
        it.language,
        it.title_author,
    )


def labels_of(it: Mapping[str, str]) -> Labels:
    """Decode labels, which come in any order."""
    return tuple(sorted(it.items()))


def member(it: Member, display_name: str = "") -> conversation_pb2.Member:
    """Encode a member, in answers with what the user is called now."""
    return conversation_pb2.Member(
        resource=it.resource,
        user_id=it.user_id,
        role=access_pb2.Role.ValueType(it.role.value),
        create_time=timestamp(it.create_us),
        display_name=display_name or it.display_name,
    )


def member_of(it: conversation_pb2.Member) -> Member:
    """Decode a member that :func:`member` encoded."""
    role, created = Role(it.role), microseconds(it.create_time)
    return Member(ResourceId(it.resource), UserId(it.user_id), role, created, it.display_name)


def notice(it: Notice) -> notice_pb2.Notice:
    """Encode a notice."""
    return notice_pb2.Notice(
        notice_id=it.notice_id,
        text=it.text,
        publish_time=timestamp(it.publish_us),
        expire_time=timestamp(it.expire_us),
        withdraw_time=timestamp(it.withdraw_us) if it.withdraw_us else None,
    )


def notice_of(it: notice_pb2.Notice) -> Notice:
    """Decode a notice that :func:`notice` encoded."""
    return Notice(
        NoticeId(it.notice_id),
        it.text,
        microseconds(it.publish_time),
        microseconds(it.expire_time),
        microseconds(it.withdraw_time) or None,
    )


@dataclass(frozen=True, slots=True)
class Codec(Generic[T, M]):
    """Converts a type of the domain to its message in the contract, and back."""

    message: type[M]
    encode: Callable[[T], M]
    decode: Callable[[M], T]

    def to_answer(self, it: T) -> Answer:
        """Encode what a request is answered with, to be stored for its repetition."""
        name = self.message.DESCRIPTOR.name.lower()
        return Answer(name, self.encode(it).SerializeToString())

    def from_answer(self, answer: Answer) -> T:
        """Decode a stored answer."""
        return self.decode(self.message.FromString(answer.body))


CODECS: Mapping[type, Codec[Any, Any]] = {
    Workspace: Codec(conversation_pb2.Workspace, workspace, workspace_of),
    Conversation: Codec(conversation_pb2.Conversation, conversation, conversation_of),
    Member: Codec(conversation_pb2.Member, member, member_of),
    Notice: Codec(notice_pb2.Notice, notice, notice_of),
}
"""By the type of the domain: what changes contain, and what requests are answered with."""


def content_of(it: context_service_pb2.PostMessageRequest) -> Content:
    """Decode a new message's parts, as far as the rules need them, and what is said beside."""
    message = message_pb2.Message(aside=not it.in_context, type=it.type, metadata=it.metadata)
    return _content(message, it.parts)


def content_with(
    content: Content, parts: Sequence[message_pb2.Part], metadata: Mapping[str, str]
) -> Content:
    """The same with other parts, and other metadata."""
    message = message_pb2.Message.FromString(content.encoded)
    message.ClearField("parts")
    message.metadata.clear()
    message.metadata.update(metadata)
    return _content(message, parts)


def speaking_of(
    author: str, session_id: str, conversation: Conversation, content: Content, *, closely: bool
) -> Speaking:
    """What detectors are told of a message; ``closely``: with its fingerprint."""
    where = conversation.conversation_id, conversation.workspace_id
    digest = fingerprint(_texts(content.encoded)) if closely else 0
    return Speaking(author, session_id, *where, digest, content.text_bytes)


def _texts(encoded: bytes) -> list[str]:
    return [part.text for part in message_pb2.Message.FromString(encoded).parts]


def _content(message: message_pb2.Message, parts: Sequence[message_pb2.Part]) -> Content:
    """``message`` is all that is said beside the parts."""
    beside_bytes = message.ByteSize()
    message.parts.extend(parts)
    text_bytes = sum(map(_text_bytes, parts))
    return Content(_encoded(message), text_bytes, message.aside, beside_bytes)


def _encoded(message: message_pb2.Message) -> bytes:
    return message.SerializeToString(deterministic=True)


def _text_bytes(part: message_pb2.Part) -> int:
    match part.WhichOneof("content"):
        case "text":
            return len(part.text.encode())
        case "image":
            return len(part.image.uri)
        case "audio":
            return len(part.audio.uri)
        case "file":
            return len(part.file.uri)
        case None:  # a newer server's
            return 0


def message(it: Message) -> message_pb2.Message:
    """Encode a message."""
    encoded = message_pb2.Message.FromString(it.content.encoded)
    encoded.message_id = it.message_id
    encoded.conversation_id = it.conversation_id
    encoded.role = message_pb2.MessageRole.ValueType(it.role)
    encoded.author = it.author
    encoded.turn_id = it.turn_id
    encoded.truncated = it.truncated
    encoded.create_time.CopyFrom(timestamp(it.create_us))
    encoded.offset = it.offset
    return encoded


def encoded_message(it: Message) -> bytes:
    """Serialise a message, unless it is remembered how."""
    return it.encoded or message(it).SerializeToString()


def message_of(
    it: message_pb2.Message, conversation_id: ConversationId, offset: int, create_us: int
) -> Message:
    """Decode a message that stands in the log at that place and time."""
    return Message(
        MessageId(it.message_id),
        conversation_id,
        Offset(offset),
        MessageRole(it.role),
        it.author,
        it.turn_id,
        it.truncated,
        create_us,
        _content_in_log(it),
    )


def _content_in_log(it: message_pb2.Message) -> Content:
    """A message's parts, what is said beside, and what this version does not know of it."""
    content: Any = message_pb2.Message()
    content.CopyFrom(it)
    for name in _BESIDE_CONTENT:
        content.ClearField(name)
    text_bytes = sum(map(_text_bytes, it.parts))
    return Content(_encoded(content), text_bytes, it.aside, erased=it.erased)


def texts_of(content: Content) -> Sequence[str]:
    """What it says in words, part by part."""
    return _texts(content.encoded)


ERASED = message_pb2.Message(erased=True).SerializeToString()
"""What is left of a message's content."""


def window_head(it: Window) -> context_service_pb2.GetContextResponse:
    """Encode a window but for its messages."""
    return context_service_pb2.GetContextResponse(
        instructions=it.instructions,
        estimated_tokens=min(it.estimated_tokens, _MAX_INT32),
        omitted_messages=min(it.omitted.messages, _MAX_INT32),
        omitted_tokens=min(it.omitted.tokens, _MAX_INT32),
        rolled_back_messages=min(it.rolled_back_messages, _MAX_INT32),
        speakers=[
            message_pb2.Speaker(author=speaker.author, display_name=speaker.display_name)
            for speaker in it.speakers
        ],
        tools=it.tools,
    )


def repeatable(
    principal: Principal, request_id: str, request: Protobuf, kind: type[T]
) -> Repeatable[T] | None:
    """Identify a request that is answered with a ``kind``; None without a request id."""
    if not request_id:
        return None
    name, codec = request.DESCRIPTOR.full_name.encode(), CODECS[kind]
    digest = hashlib.sha256(name + b"\0" + request.SerializeToString(deterministic=True)).digest()
    key = RequestKey(principal.actor, request_id, digest)
    return Repeatable(key, codec.to_answer, codec.from_answer)


def turn_policy_of(value: int) -> TurnPolicy:
    """Decode a policy. Raises DomainError INVALID_ARGUMENT for one that is not defined."""
    policy = TurnPolicy(value)
    if not policy.known:
        raise invalid("conversation.turn_policy", "a defined value")
    return policy


def _version(text: str) -> int:
    return int(text.removeprefix("v"), 16)
