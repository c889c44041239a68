"""Turns that a turn has others work on, as a chat shows them: short lines, indented by depth."""

from contextlib import nullcontext

from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_ASSISTANT, Message
from antiphon.events.v1.event_pb2 import (
    TURN_STATE_CANCELLED,
    TURN_STATE_EXPIRED,
    TURN_STATE_SUCCEEDED,
)
from antiphon_client import CallStatus, ChildStatus
from antiphon_client.trees import begun_by
from antiphon_server.cli.chat.screen import Screen
from antiphon_server.cli.console import in_a_line, shortened
from antiphon_server.cli.explain import explain

_FOLDED = 60
_ENDS = {
    TURN_STATE_SUCCEEDED: "✓",
    TURN_STATE_CANCELLED: "✗ stopped:",
    TURN_STATE_EXPIRED: "✗ out of time:",
}


class Trees:
    """Shows them, each line with whose it is, since they work side by side.

    With ``whole`` what each has said is shown as well.
    """

    def __init__(self, screen: Screen, *, whole: bool) -> None:
        self._screen, self._whole = screen, whole
        self._shown: set[str] = set()

    def show(self, news: ChildStatus) -> None:
        """Show what is new of one of them; the status of the turn itself stays."""
        self._shown.add(news.turn_id)
        indent = "  " * (news.depth - 1)
        lines = self._said(news) if news.text else [_line(news)]
        keeping = self._screen.aside() if self._screen.fancy else nullcontext()
        with keeping:
            for line in lines:
                self._screen.note(indent + line)

    def have_shown(self, call: CallStatus) -> bool:
        """Whether what the call has begun is told by its own lines."""
        return begun_by(call.proposed.tool, call.proposed.arguments_json)[0] in self._shown

    def _said(self, news: ChildStatus) -> list[str]:
        if not self._whole:
            return []
        return [f"  {in_a_line(line)}" for line in news.text.split("\n")]


def is_of_tree(message: Message) -> bool:
    """Whether it was said to a turn that another has asked for, or by it: people say it else."""
    by_handler = message.author.startswith("handlers/")
    return message.aside and (message.role == MESSAGE_ROLE_ASSISTANT or by_handler)


def _line(news: ChildStatus) -> str:
    name = shortened(f"{news.handler} “{news.message}”", _FOLDED)
    if news.sentence:
        began = news.sentence == "began"
        return f"⚙ {name}" if began else f"  {name}: {in_a_line(news.sentence)}"
    took = f" · {news.took_s:.1f} s" if news.took_s else ""
    why = f": {in_a_line(explain(news.error))}" if news.error is not None else ""
    return f"{_ENDS.get(news.state, '✗ failed:')} {name}{took}{why}"
