"""Prompts decoded: the messages of a conversation come again with every turn of it."""

from collections import OrderedDict
from collections.abc import Callable, Sequence

from antiphon_server.integration.model import PromptMessage

MAX_MESSAGES = 16_384
SHORT_BYTES = 2048


class RememberedPrompts:
    """Each conversation's last prompt, as far as its messages are short.

    A message is known again by its bytes. Conversations that were used longest ago are
    forgotten first.
    """

    def __init__(
        self, decode: Callable[[bytes], PromptMessage], max_messages: int = MAX_MESSAGES
    ) -> None:
        self._decode = decode
        self._max_messages = max_messages
        self._last: OrderedDict[str, dict[bytes, PromptMessage]] = OrderedDict()
        self._messages = 0

    def decoded(self, conversation_id: str, messages: Sequence[bytes]) -> tuple[PromptMessage, ...]:
        """Decode the messages, of which most were in the conversation's prompt before."""
        known = self._last.pop(conversation_id, {})
        self._messages -= len(known)
        decode = self._decode
        found = tuple([known.get(encoded) or decode(encoded) for encoded in messages])
        if conversation_id:
            pairs = zip(messages, found, strict=True)
            kept = {encoded: one for encoded, one in pairs if len(encoded) <= SHORT_BYTES}
            self._last[conversation_id] = kept
            self._messages += len(kept)
        while self._messages > self._max_messages:
            _, oldest = self._last.popitem(last=False)
            self._messages -= len(oldest)
        return found
