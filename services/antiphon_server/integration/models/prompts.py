"""Prompts decoded: the messages of a conversation come again with every turn of it."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from antiphon_server.integration.models.model import PromptMessage

MAX_BYTES = 32 << 20
SHORT_BYTES = 2048
_A_CONVERSATION = 1024
_A_MESSAGE = 1024
_A_PART = 256
"""What each takes in memory besides its text, in bytes."""
_A_BYTE = 9
"""What a byte of text takes: as it came, in its part and with the other parts. Python gives
every character of a text as much as the widest needs, which is up to four bytes."""


@dataclass(slots=True)
class _Last:
    """A conversation's last prompt by its messages' bytes, and what it takes in memory."""

    messages: dict[bytes, PromptMessage]
    size: int


class RememberedPrompts:
    """Each conversation's last prompt, as far as its messages are short; bounded in bytes.

    A message is known again by its bytes. Conversations that were used longest ago are
    forgotten first.
    """

    def __init__(
        self, decode: Callable[[bytes], PromptMessage], max_bytes: int = MAX_BYTES
    ) -> None:
        self._decode = decode
        self._max_bytes = max_bytes
        self._last: OrderedDict[str, _Last] = OrderedDict()
        self._size = 0

    def decoded(self, conversation_id: str, messages: Sequence[bytes]) -> tuple[PromptMessage, ...]:
        """Decode the messages, of which most were in the conversation's prompt before."""
        known = self._forget(conversation_id)
        decode = self._decode
        found = tuple([known.get(encoded) or decode(encoded) for encoded in messages])
        if conversation_id:
            pairs = zip(messages, found, strict=True)
            self._keep(conversation_id, {it: one for it, one in pairs if len(it) <= SHORT_BYTES})
        return found

    def _forget(self, conversation_id: str) -> dict[bytes, PromptMessage]:
        last = self._last.pop(conversation_id, None)
        if last is None:
            return {}
        self._size -= last.size
        return last.messages

    def _keep(self, conversation_id: str, messages: dict[bytes, PromptMessage]) -> None:
        if not messages:
            return
        last = _Last(messages, _size(messages))
        self._last[conversation_id] = last
        self._size += last.size
        while self._size > self._max_bytes:
            _, oldest = self._last.popitem(last=False)
            self._size -= oldest.size


def _size(messages: dict[bytes, PromptMessage]) -> int:
    text = sum(map(len, messages))
    parts = sum([len(one.parts) for one in messages.values()])
    return _A_CONVERSATION + _A_MESSAGE * len(messages) + _A_PART * parts + _A_BYTE * text
