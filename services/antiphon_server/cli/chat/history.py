"""What was said in a conversation before it was opened: shown backwards, some at a time."""

from collections import deque
from collections.abc import AsyncIterator
from itertools import islice

from antiphon.context.v1.message_pb2 import Message

_COUNTED = 100  # a long conversation is not read to its beginning


class History:
    """Messages, which come the newest first; at most a hundred are read ahead."""

    def __init__(self, messages: AsyncIterator[Message]) -> None:
        self._messages = messages
        self._ahead: deque[Message] = deque()

    async def earlier(self, count: int) -> list[Message]:
        """The next ``count`` messages before those that were given, the oldest first."""
        while len(self._ahead) < count + _COUNTED:
            message = await anext(self._messages, None)
            if message is None:
                break
            self._ahead.append(message)
        given = list(islice(self._ahead, count))
        for _ in given:
            self._ahead.popleft()
        return given[::-1]

    @property
    def rest(self) -> str:
        """That there is more before it, and how to see it; empty if there is not."""
        count = len(self._ahead)
        if not count:
            return ""
        more = " or more" if count == _COUNTED else ""
        return f"… {count}{more} earlier message{'s' if count > 1 else ''}; /more shows them"
