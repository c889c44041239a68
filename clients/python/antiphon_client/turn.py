"""A turn as its events tell it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field

from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_ASSISTANT, Message
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1 import event_pb2
from antiphon.events.v1.event_pb2 import (
    Event,
    ToolCallFinished,
    ToolCallProposed,
    ToolCallQuestionAnswered,
    ToolCallQuestionAsked,
    TurnState,
)
from antiphon.events.v1.handoff_pb2 import Handoff
from antiphon.events.v1.route_pb2 import RouteDecision
from antiphon.integration.v1.model_pb2 import (
    FINISH_REASON_LENGTH,
    FINISH_REASON_UNSPECIFIED,
    FinishReason,
    SkippedModel,
    Usage,
)
from antiphon.integration.v1.tool_pb2 import (
    TOOL_ANSWER_ACTION_CANCELLED,
    TOOL_ANSWER_ACTION_DECLINED,
)
from antiphon_client.errors import AntiphonError
from antiphon_client.status import error_of_status
from antiphon_client.text import Text, text_of

_ENDED = frozenset(
    {
        event_pb2.TURN_STATE_SUCCEEDED,
        event_pb2.TURN_STATE_FAILED,
        event_pb2.TURN_STATE_CANCELLED,
        event_pb2.TURN_STATE_EXPIRED,
    }
)
_SHOWN = 60
_VERBS = {
    TOOL_ANSWER_ACTION_DECLINED: "declined",
    TOOL_ANSWER_ACTION_CANCELLED: "put away",
}


@dataclass(frozen=True, slots=True, repr=False)
class TurnResult:
    """How a turn ended. ``text`` is what was delivered, ``truncated`` if it was cut off.

    ``usage`` is zero where no model was called; its ``cost`` is unset if a price is unknown.
    ``omitted_messages`` is how many older ones the model was asked without: they did not fit.
    Of ``described_parts`` (pictures, recordings, files) it was told in words: it takes none. Of
    ``withheld_tools`` it was not told, nor of ``omitted_texts`` that stood beside the messages, as
    the whiteboard. ``skipped_models`` of the list did not answer, and why.
    ``output_limit`` is the limit of tokens at which a ``cut`` answer ends, 0 for the model's own.
    ``route`` is why its handler got it, where routes have found it.
    """

    turn_id: str
    state: TurnState.ValueType
    text: str
    message_id: str = ""
    truncated: bool = False
    error: AntiphonError | None = None
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    finish_reason: FinishReason.ValueType = FINISH_REASON_UNSPECIFIED
    omitted_messages: int = 0
    described_parts: int = 0
    output_limit: int = 0
    withheld_tools: int = 0
    skipped_models: tuple[SkippedModel, ...] = ()
    route: RouteDecision | None = None
    omitted_texts: int = 0

    def __repr__(self) -> str:
        """What people look for, in a line: which turn, how it ended, with what."""
        how = event_pb2.TurnState.Name(self.state).removeprefix("TURN_STATE_").lower()
        said = self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}…"
        why = f", {self.error.message!r}" if self.error is not None else ""
        model = f", {self.model}, {self.usage.output_tokens} tokens" if self.model else ""
        return f"<TurnResult {self.turn_id} {how}: {said!r}{why}{model}>"

    @property
    def cut(self) -> bool:
        """Whether a limit of tokens cut the answer off, before it was complete."""
        return self.finish_reason == FINISH_REASON_LENGTH

    @property
    def succeeded(self) -> bool:
        """Whether the answer is complete."""
        return self.state == event_pb2.TURN_STATE_SUCCEEDED


@dataclass(frozen=True, slots=True)
class TurnStatus:
    """What a turn is doing: its state, a sentence for people, and how much is done (0-1)."""

    state: TurnState.ValueType
    sentence: str = ""
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class CallStatus(TurnStatus):
    """A call of a tool: what was ``proposed``, and as soon as it has ended how it did.

    ``waits``: a person has to decide about it (``decide_tool_call``) before the turn goes on.
    """

    proposed: ToolCallProposed = field(default_factory=ToolCallProposed)
    finished: ToolCallFinished | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class QuestionStatus(TurnStatus):
    """What a call's tool asked (``answer_tool_call``), and what was said as soon as it was.

    ``waits``: nobody has answered, as far as is known. Where ``asked.asked_of`` names somebody,
    they alone may: a route asks them who shall have their message.
    """

    proposed: ToolCallProposed = field(default_factory=ToolCallProposed)
    asked: ToolCallQuestionAsked = field(default_factory=ToolCallQuestionAsked)
    answered: ToolCallQuestionAnswered | None = None

    @property
    def waits(self) -> bool:
        """Whether the call goes on only when somebody has answered."""
        return self.answered is None


@dataclass(frozen=True, slots=True)
class HandoffStatus(TurnStatus):
    """The turn waits for people (``answer_handoff`` and the like), or does so no more.

    ``waits``: they have it now.
    """

    handoff: Handoff = field(default_factory=Handoff)
    waits: bool = False


class TurnHandle:
    """A turn under way: iterate for the answer's text as it comes, then ask for the result.

    Several may iterate; each gets the text from its beginning. What was received is kept
    once, whoever reads it.
    """

    def __init__(self, turn_id: str, cancel: Callable[[str], Awaitable[Turn]]) -> None:
        self.turn_id = turn_id
        self.status = TurnStatus(event_pb2.TURN_STATE_ACCEPTED)
        self._cancel = cancel
        self._log: list[str | TurnStatus] = []
        self._texts: dict[str, Text] = {}
        self._calls: dict[str, ToolCallProposed] = {}
        self._decided: set[str] = set()
        self._asked: dict[str, ToolCallQuestionAsked] = {}
        self._message = Message()
        self._handoff = Handoff()
        self._route: RouteDecision | None = None
        self._result: TurnResult | None = None
        self._error: AntiphonError | None = None
        self._news = asyncio.Event()

    def __aiter__(self) -> AsyncGenerator[str]:
        """The answer's text in pieces. Raises AntiphonError if the stream fails for good."""
        return self._pieces()

    async def updates(self) -> AsyncGenerator[str | TurnStatus]:
        """Text and changes of status, in the order they came, until the turn has ended."""
        seen = 0
        while True:
            while seen < len(self._log):
                seen += 1
                yield self._log[seen - 1]
            if self.done:
                break
            await self._news.wait()
        if self._error is not None:
            raise self._error

    async def result(self) -> TurnResult:
        """How the turn ended. Raises AntiphonError if the stream fails for good."""
        while not self.done:
            await self._news.wait()
        if self._result is None:
            raise self._error or AssertionError("done without an outcome")
        return self._result

    async def cancel(self) -> Turn:
        """Stop the turn; it still ends by its result. Stopping an ended turn is no error."""
        return await self._cancel(self.turn_id)

    @property
    def done(self) -> bool:
        """Whether the turn has ended, or its stream has failed."""
        return self._result is not None or self._error is not None

    @property
    def text(self) -> str:
        """The answer so far."""
        if self._message.message_id:
            return text_of(self._message.parts)
        return "".join(map(str, self._texts.values()))

    def is_decided(self, call: ToolCallProposed) -> bool:
        """Whether a call waits for nobody any more, as far as is known."""
        return call.tool_call_id in self._decided

    def is_answered(self, asked: ToolCallQuestionAsked) -> bool:
        """Whether a question waits for nobody any more, as far as is known."""
        return asked.question.question_id not in self._asked

    def apply(self, event: Event) -> None:
        """Take in one event of this turn."""
        match event.WhichOneof("payload"):
            case "text_delta_appended":
                delta = event.text_delta_appended
                self._say(self._text(delta.message_id).append(delta.position, delta.text))
            case "message_posted" if event.message_posted.message.role == MESSAGE_ROLE_ASSISTANT:
                message = self._message = event.message_posted.message
                self._say(self._text(message.message_id).replace(text_of(message.parts)))
            case "turn_finished":
                self._finish(event.turn_finished)
            case "turn_accepted" if event.turn_accepted.HasField("route"):
                self._route = event.turn_accepted.route
            case _:
                self._take_status(event)

    def tell(self, news: TurnStatus) -> None:
        """Something is new of a turn that this one has asked for."""
        self._log.append(news)
        self._wake()

    def accepted(self, turn: Turn) -> None:
        """The server has taken the turn in, or says how it is when asked again."""
        never_came = turn.state in _ENDED and not turn.message_id
        if never_came and not self.done:
            finished = event_pb2.TurnFinished(state=turn.state)
            if turn.HasField("error"):
                finished.error.CopyFrom(turn.error)
            self._finish(finished)

    def fail(self, error: AntiphonError) -> None:
        """No more will be heard of the turn."""
        if not self.done:
            self._error = error
            self._wake()

    def _take_status(self, event: Event) -> None:
        match event.WhichOneof("payload"):
            case "turn_queued":
                ahead = f"waiting for {event.turn_queued.ahead} before it"
                self._say(TurnStatus(event_pb2.TURN_STATE_QUEUED, ahead))
            case "turn_started":
                if event.turn_started.HasField("route"):
                    self._route = event.turn_started.route
                self._say(
                    TurnStatus(event_pb2.TURN_STATE_RUNNING, f"{event.turn_started.handler} began")
                )
            case "turn_progressed":
                at = event.turn_progressed
                fraction = at.fraction if at.HasField("fraction") else None
                self._say(TurnStatus(event_pb2.TURN_STATE_RUNNING, at.status, fraction))
            case _:
                self._take_call(event)

    def _take_call(self, event: Event) -> None:
        """Tell of a call of a tool: that it waits, that it is made, how it ended."""
        match event.WhichOneof("payload"):
            case "tool_call_proposed":
                proposed = event.tool_call_proposed
                self._calls[proposed.tool_call_id] = proposed
                if proposed.asks:
                    sentence = f"{proposed.tool} waits for an approval"
                    self._say_of(proposed.tool_call_id, sentence, waits=True)
            case "tool_call_decided":
                verb = "approved" if event.tool_call_decided.approved else "denied"
                self._say_of(event.tool_call_decided.tool_call_id, verb)
            case "tool_call_started":
                self._say_of(event.tool_call_started.tool_call_id, "calling")
            case "tool_call_finished":
                finished = event.tool_call_finished
                for question_id, asked in list(self._asked.items()):
                    if asked.tool_call_id == finished.tool_call_id:
                        del self._asked[question_id]
                self._say_of(finished.tool_call_id, "ended", finished)
            case _:
                self._take_question(event)

    def _take_question(self, event: Event) -> None:
        """Tell what a call's tool asks, and what was said to that."""
        state = event_pb2.TURN_STATE_RUNNING
        match event.WhichOneof("payload"):
            case "tool_call_question_asked":
                asked = event.tool_call_question_asked
                self._asked[asked.question.question_id] = asked
                call = self._calls.get(asked.tool_call_id, ToolCallProposed())
                sentence = f"{call.tool} waits for an answer"
                self._say(QuestionStatus(state, sentence, None, call, asked))
            case "tool_call_question_answered":
                answered = event.tool_call_question_answered
                put = self._asked.pop(answered.answer.question_id, ToolCallQuestionAsked())
                call = self._calls.get(answered.tool_call_id, ToolCallProposed())
                verb = _VERBS.get(answered.answer.action, "answered")
                sentence = f"{verb} what {call.tool} asked"
                self._say(QuestionStatus(state, sentence, None, call, put, answered))
            case _:
                self._take_handoff(event)

    def _take_handoff(self, event: Event) -> None:
        """Tell that people have the turn, who of them is at it, and that they have it no more."""
        state = event_pb2.TURN_STATE_RUNNING
        match event.WhichOneof("payload"):
            case "turn_handed_off":
                self._handoff = event.turn_handed_off.handoff
                because = f": {self._handoff.reason}" if self._handoff.reason else ""
                sentence = f"{self._waiting}{because}"
                self._say(HandoffStatus(state, sentence, None, self._handoff, True))
            case "handoff_claim_changed":
                self._handoff.claimed_by = event.handoff_claim_changed.claimed_by
                sentence = "a person is at it" if self._handoff.claimed_by else self._waiting
                self._say(HandoffStatus(state, sentence, None, self._handoff, True))
            case "handoff_ended":
                is_let_go = self._handoff.held_for and event.handoff_ended.handler
                sentence = "a person has let it go on" if is_let_go else "people are done"
                self._say(HandoffStatus(state, sentence, None, self._handoff, False))

    @property
    def _waiting(self) -> str:
        held = "waiting until a person has looked at it"
        return held if self._handoff.held_for else "waiting for people"

    def _say_of(
        self,
        call_id: str,
        sentence: str,
        finished: ToolCallFinished | None = None,
        *,
        waits: bool = False,
    ) -> None:
        proposed = self._calls.get(call_id, ToolCallProposed(tool_call_id=call_id))
        if not waits:
            self._decided.add(call_id)
            sentence = f"{sentence} {proposed.tool}"
        state = event_pb2.TURN_STATE_RUNNING
        self._say(CallStatus(state, sentence, None, proposed, finished, waits))

    def _finish(self, finished: event_pb2.TurnFinished) -> None:
        has_error = finished.HasField("error")
        self._result = TurnResult(
            turn_id=self.turn_id,
            state=finished.state,
            text=self.text,
            message_id=finished.reply_message_id,
            truncated=self._message.truncated,
            error=error_of_status(finished.error) if has_error else None,
            usage=finished.usage,
            model=finished.model,
            finish_reason=finished.finish_reason,
            omitted_messages=finished.omitted_messages,
            described_parts=finished.described_parts,
            output_limit=finished.output_limit,
            withheld_tools=finished.withheld_tools,
            skipped_models=tuple(finished.skipped_models),
            route=self._route,
            omitted_texts=finished.omitted_texts,
        )
        self.status = TurnStatus(finished.state)
        self._wake()

    def _text(self, message_id: str) -> Text:
        return self._texts.setdefault(message_id, Text())

    def _say(self, news: str | TurnStatus) -> None:
        if isinstance(news, TurnStatus):
            self.status = news
        if news:
            self._log.append(news)
            self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _pieces(self) -> AsyncGenerator[str]:
        async for update in self.updates():
            if isinstance(update, str):
                yield update
