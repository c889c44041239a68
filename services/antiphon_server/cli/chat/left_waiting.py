"""An answer that is left while it waits for a person, since nobody is here to ask."""

from collections.abc import Sequence

from antiphon_server.cli.chat.talk import Handed, Paused, Undecided
from antiphon_server.cli.chat.tool_calls import whole_call
from antiphon_server.cli.console import in_a_line
from antiphon_server.cli.encoding import as_dict

WAITS = 3
"""The exit code of a chat that ends while its answer waits for somebody."""
STOPPED = 130


class LeftWaiting(Exception):
    """Nobody answers here ``what`` waits in a conversation; it waits on, through restarts."""

    def __init__(self, conversation_id: str, what: Paused, exit_code: int = WAITS) -> None:
        super().__init__(conversation_id)
        self.conversation_id = conversation_id
        self.what = what
        self.exit_code = exit_code


def told(left: LeftWaiting) -> Sequence[str]:
    """What waits, and the commands by which somebody decides."""
    where = left.conversation_id
    again = f"`antiphon chat --conversation {where}`"
    if isinstance(left.what, Handed):
        which = left.what.handoff.handoff_id
        if left.what.handoff.held_for:
            return [
                in_a_line(f"A person looks at it first: {left.what.handoff.reason}"),
                "Another admin lets it go on, or refuses it:",
                f"    antiphon handoffs show {which}",
                f"    antiphon handoffs return {which}",
                f"    antiphon handoffs decline {which} --note TEXT",
                f"Then go on: {again}",
            ]
        return [
            "It waits for people:",
            f"    antiphon handoffs show {which}",
            f"    antiphon handoffs answer {which} TEXT",
            f"Then go on: {again}",
        ]
    if not isinstance(left.what, Undecided):
        asks = f"⚙ {in_a_line(left.what.call.tool)} asks: "
        question = in_a_line(left.what.asked.question.message)
        return [f"{asks}{question}", f"It waits for an answer, at a terminal: {again}"]
    call = left.what.call
    which = f"{where} {in_a_line(call.tool_call_id)}"
    whole = [] if left.exit_code == STOPPED else whole_call(call)
    return [
        *whole,
        "It waits until somebody decides:",
        f"    antiphon calls approve {which}",
        f"    antiphon calls deny {which} --why TEXT",
        f"Then go on: {again}",
    ]


def as_json(left: LeftWaiting) -> dict[str, object]:
    """The same for programs."""
    what, turn = left.what, {"conversation_id": left.conversation_id}
    if isinstance(what, Handed):
        handed = {"handoff": as_dict(what.handoff)}
        return {**turn, "turn_id": what.turn.turn_id, "state": "waiting", **handed}
    kind = "undecided_call" if isinstance(what, Undecided) else "unanswered_call"
    return {**turn, "turn_id": what.turn.turn_id, "state": "waiting", kind: as_dict(what.call)}
