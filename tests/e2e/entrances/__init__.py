"""Every way by which words of others come in: one table, which whoever adds an entrance adds to."""

from collections.abc import Sequence

from tests.e2e.entrances.beside import answered, declined, denied, handed_off, returned, told
from tests.e2e.entrances.entrance import Entrance
from tests.e2e.entrances.later import (
    delegated,
    due,
    later_schedules,
    run_now,
    scheduled,
    schedules,
)
from tests.e2e.entrances.said import (
    conversed,
    dispatched,
    instructed,
    posted,
    titled,
    titled_at_home,
)
from tests.e2e.entrances.tools import asked_in_turn, called, called_in_turn

ENTRANCES: Sequence[Entrance] = (
    Entrance("PostMessage", posted),
    Entrance("Dispatch", dispatched),
    Entrance("Converse", conversed),
    Entrance("a conversation's title", titled, most=256, is_words=True),
    Entrance("a title where no workspace is named", titled_at_home, most=256, is_words=True),
    Entrance("a conversation's instructions", instructed, most=8_000, is_words=True),
    Entrance("CreateSchedule", scheduled),
    Entrance("a schedule's due time", due, before=schedules),
    Entrance("RunSchedule", run_now, before=later_schedules),
    Entrance(
        "a turn for another handler", delegated, most=64_000, is_words=True, needs_worker=True
    ),
    Entrance("CallTool", called),
    Entrance("a turn's tool", called_in_turn),
    Entrance("a tool's question", asked_in_turn, most=4_000, most_parts=8, in_a_form=True),
    Entrance("AnswerToolCall", told, most=2_000, is_words=True, in_a_form=True),
    Entrance("DecideToolCall", denied, most=1_000, is_words=True),
    Entrance("HandOffTurn", handed_off, most=512, is_words=True),
    Entrance("AnswerHandoff", answered, most=60_000, is_words=True),
    Entrance("ReturnHandoff", returned, most=512, is_words=True),
    Entrance("DeclineHandoff", declined, most=512, is_words=True),
)
