"""The conversation behind the screen: what is asked, and what comes back."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from antiphon.context.v1.context_service_pb2 import CONVERSATION_ORDER_LAST_ACTIVITY
from antiphon.context.v1.conversation_pb2 import Conversation
from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_USER, Message
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1.event_pb2 import (
    TURN_STATE_ACCEPTED,
    TURN_STATE_QUEUED,
    TURN_STATE_RUNNING,
    Event,
    ToolCallProposed,
    ToolCallQuestionAsked,
)
from antiphon.events.v1.handoff_pb2 import Handoff
from antiphon.integration.v1.tool_pb2 import TOOL_ANSWER_ACTION_ACCEPTED
from antiphon_client import (
    AntiphonError,
    CallStatus,
    ChildStatus,
    Client,
    Connection,
    HandoffStatus,
    LiveConversation,
    QuestionStatus,
    TurnHandle,
    TurnResult,
    TurnStatus,
    new_turn_id,
    text_of,
)
from antiphon_server.cli.chat.experts import handlers_of
from antiphon_server.cli.chat.faults import faults_of
from antiphon_server.cli.chat.named_tools import found_of
from antiphon_server.cli.chat.names import Names
from antiphon_server.cli.chat.news import News
from antiphon_server.cli.chat.questions import Said
from antiphon_server.cli.chat.screen import Screen
from antiphon_server.cli.chat.tool_calls import show_call
from antiphon_server.cli.chat.trees import Trees, is_of_tree
from antiphon_server.cli.console import CommandError
from antiphon_server.cli.local_server import LocalServer
from antiphon_server.cli.which_workspace import workspace_of_new

GO_ON = "Go on where you stopped."
"""What asks for more of an answer that was cut off; it is no question to be asked again."""
_OPEN_STATES = (TURN_STATE_ACCEPTED, TURN_STATE_QUEUED, TURN_STATE_RUNNING)
_TITLE_LENGTH = 60
_FAULTS_S = 5.0
_TURNS = 50  # more than may wait of one conversation's
_SAID_AFTER_S = 3.0
_NAMED_AFTER_S = 3.0  # what only restarts is back by then


@dataclass
class Wishes:
    """How to ask: which handler, and which models in this order; empty means the server's choice.

    ``tools`` are those that models may ask for in conversations that the chat begins, or goes on
    with from its command. With ``trees`` what others say whom a turn has work for it is shown, too.
    Messages are of a ``type`` and have ``metadata``, for programs; conversations that the chat
    begins have ``labels`` and a ``language``.
    """

    handler: str = ""
    models: Sequence[str] = ()
    tools: Sequence[str] = ()
    trees: bool = False
    type: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    language: str = ""


@dataclass(frozen=True)
class Undecided:
    """A call of a tool about which somebody has to decide before the turn goes on."""

    turn: TurnHandle
    call: ToolCallProposed


@dataclass(frozen=True)
class Unanswered:
    """What a call's tool asks, which somebody has to answer before the call goes on."""

    turn: TurnHandle
    call: ToolCallProposed
    asked: ToolCallQuestionAsked


@dataclass(frozen=True)
class Handed:
    """The turn waits for people, who find it in their queue."""

    turn: TurnHandle
    handoff: Handoff


Paused: TypeAlias = Undecided | Unanswered | Handed
"""What the user is asked in the middle of an answer."""


class Talk:
    """One conversation at a time with a server.

    ``server`` is one of its own; one who ``listens`` shows what others say there, too.
    """

    def __init__(
        self,
        screen: Screen,
        wishes: Wishes,
        server: LocalServer | None = None,
        *,
        listens: bool = True,
    ) -> None:
        self.wishes = wishes
        self.decides = False
        self._updates: AsyncGenerator[str | TurnStatus]
        self._listens = listens
        self.conversation_id = ""
        self._away_since: float | None = None
        self._lost = False
        self.client: Client
        self._screen = screen
        self._server = server
        self._live: LiveConversation | None = None
        self._turn_id = ""
        self._speaks = False
        self._cursor = ""
        self._names = Names()
        self._trees = Trees(screen, whole=wishes.trees)
        self.question = ""
        self.news = News(screen, self._name)

    @property
    def away(self) -> bool:
        """Whether there is no connection to the server."""
        return self._away_since is not None

    def on_connection(self, connection: Connection) -> None:
        """Tell the user, if an answer is awaited; bring an own server back if it died."""
        was_lost = self._lost
        self._lost = connection.state in ("silent", "waiting") or (
            self._lost and connection.state == "connecting"
        )
        if connection.state == "connected":
            self._away_since = None
        elif connection.state == "waiting":
            self._away_since = self._away_since or time.monotonic()
        if self.away and self._server is not None:
            self._server.revive()
        if not self._turn_id:
            return
        if connection.state == "waiting":
            self._screen.status(
                f"{self._what_is_lost(connection)}, trying again; Ctrl-C leaves off"
            )
        elif connection.state == "silent":
            self._screen.status("the server does not answer; waiting for it")
        elif connection.state == "connected" and was_lost:
            self._screen.status("connected again; waiting for the answer to go on")

    def _what_is_lost(self, connection: Connection) -> str:
        """The connection; a service that stays away is named, as far as the server knows it."""
        error = connection.error
        lasts = (
            self._away_since is not None and time.monotonic() - self._away_since > _NAMED_AFTER_S
        )
        if lasts and error is not None and error.reason == "SERVICE_UNAVAILABLE":
            return f"the service {error.metadata.get('service', '')} is away"
        return "connection lost"

    async def ask(self, text: str) -> TurnResult | Paused:
        """Post a message and show the answer as it comes."""
        if text != GO_ON:
            self.question = text
        async with self._waiting(new_turn_id(), text):
            self._screen.status("sending")
            live = await self._open(text)
            turn = await live.post(
                text,
                handler=self.wishes.handler,
                models=self.wishes.models,
                turn_id=self._turn_id,
                type=self.wishes.type,
                metadata=self.wishes.metadata,
            )
            return await self._show(turn)

    async def stop(self) -> None:
        """Stop the answer under way, also before it has begun."""
        if self._turn_id and self._live is not None:
            if not self.away:
                self._screen.status("stopping; Ctrl-C again does not wait for it")
            await self._live.cancel(self._turn_id)

    async def stop_other(self) -> str:
        """Stop the answer that is said here for another program; whose it is, empty without one."""
        found = await self._open_turns() if self.conversation_id else []
        if not found:
            return ""
        said = next((turn for turn in found if turn.state == TURN_STATE_RUNNING), found[-1])
        await self.client.cancel_turn(self.conversation_id, said.turn_id)
        return self.news.question_of(said.turn_id)

    async def _open_turns(self) -> list[Turn]:
        """Those of the open conversation that have not ended, the newest first."""
        found: list[Turn] = []
        async with aclosing(self.client.list_turns(self.conversation_id)) as turns:
            async for turn in turns:
                found.append(turn)
                if len(found) == _TURNS:
                    break
        return [it for it in found if it.state in _OPEN_STATES and not it.parent_turn_id]

    async def notices(self) -> list[str]:
        """What the operators say to everybody now; nothing while the server can't tell."""
        try:
            return [it.text async for it in self.client.list_notices()]
        except AntiphonError as error:  # an older server's, a key without SCOPE_READ
            if error.reason in ("UNIMPLEMENTED", "SCOPE_MISSING"):
                return []
            raise

    @property
    def waits(self) -> bool:
        """Whether an answer is awaited."""
        return bool(self._turn_id)

    async def conversations(self, most: int) -> list[Conversation]:
        """The user's conversations, those first in which something was last said."""
        found: list[Conversation] = []
        order = CONVERSATION_ORDER_LAST_ACTIVITY
        async for each in self.client.list_conversations(order=order):
            found.append(each)
            if len(found) == most:
                break
        return found

    async def models(self) -> list[str]:
        """The names of all models."""
        return [model.name async for model in self.client.list_models()]

    async def handlers(self) -> list[str]:
        """The names of all handlers."""
        return await handlers_of(self.client, self.conversation_id)

    def messages(self) -> AsyncIterator[Message]:
        """Those of the open conversation, the newest first; but for what turns asked of others."""
        found = self.client.list_messages(self.conversation_id)
        return (message async for message in found if not is_of_tree(message))

    async def faults(self, result: TurnResult) -> list[str]:
        """Why models failed at an answer: what they lack, and to operators what was said of it."""
        if result.error is None or not result.error.reason.startswith("MODEL_"):
            return []
        try:
            async with asyncio.timeout(_FAULTS_S):
                return await faults_of(self.client, self.conversation_id, result.turn_id)
        except (AntiphonError, TimeoutError):  # which would hide the failure that is told
            return []

    async def take_tools(self, conversation_id: str) -> list[str]:
        """Give the wished-for tools to a conversation that there is, in place of those before.

        How many models can ask for there, or will in a new one, and what is wrong with the rest.
        """
        if not conversation_id:
            where = await workspace_of_new(self.client)
        else:
            found = await self.client.get_conversation(conversation_id)
            where = found.workspace_id
            if set(found.tools) != set(self.wishes.tools):
                await self.client.set_tools(conversation_id, self.wishes.tools)
        return await found_of(self.client, where, self.wishes.tools)

    async def check_models(self, names: Sequence[str]) -> None:
        """Raises CommandError if the server has no model of one of the names."""
        known = await self.models() if names else []
        for name in names:
            if name not in known:
                raise CommandError(
                    f"there is no model {name}; `antiphon models` lists those there are. A server "
                    "is started with another by `antiphon up --model NAME`."
                )

    async def resume(self, conversation_id: str) -> None:
        """Go on with a conversation, from now on."""
        await self.client.get_conversation(conversation_id)
        await self.leave()
        self._cursor = (await self.client.get_head(f"conversations/{conversation_id}")).cursor
        self.conversation_id = conversation_id

    async def names(self, messages: Sequence[Message]) -> list[str]:
        """What those who wrote them are called, as far as it is told; "" is the user.

        They come from the newest on: the first question of the user's among them is the last.
        """
        authors = [one.author for one in messages if one.role == MESSAGE_ROLE_USER]
        await self._names.learn(self.client, self.conversation_id, authors)
        own = [it for it in messages if it.author in authors and not self._names.of(it.author)]
        asked = [text for it in own if (text := text_of(it.parts)) != GO_ON]
        if asked and not self.question:
            self.question = asked[-1]
        return [self._names.of(one.author) for one in messages]

    async def join(self) -> TurnResult | Paused | None:
        """Show the answer that the conversation is in the middle of, if it is."""
        async for turn in self.client.list_turns(self.conversation_id):
            if turn.parent_turn_id:
                continue
            if turn.state in _OPEN_STATES:
                return await self._join(turn.turn_id)
            break
        self._live = await self._converse()
        return None

    async def leave(self) -> None:
        """Close the conversation; the next message begins another one."""
        if self._live is not None:
            await self._live.__aexit__(None, None, None)
        self._live = None
        self.conversation_id = self._cursor = self.question = ""
        self.news.forget()

    async def _join(self, turn_id: str) -> TurnResult | Paused:
        """What was said before now is read from the log, the rest follows behind it."""
        scope, cursor, at_head = f"conversations/{self.conversation_id}", "", False
        past: list[Event] = []
        family = {turn_id}
        while not at_head:
            page = await self.client.read_events(scope, cursor, page_size=1000)
            for event in page.events:
                if event.turn_accepted.parent_turn_id in family:
                    family.add(event.turn_id)
            past += (event for event in page.events if event.turn_id in family)
            cursor, at_head = page.cursor, page.at_head
        async with self._waiting(turn_id):
            live = self._live = await self._converse()
            turn = live.join(turn_id)
            for event in past:
                live.replay(event)
            return await self._show(turn)

    async def _converse(self) -> LiveConversation:
        """The open conversation, from where it was opened."""
        live = self.client.converse(
            self.conversation_id,
            cursor=self._cursor,
            on_event=self.news.take if self._listens else None,
        )
        return await live.__aenter__()

    async def _name(self, author: str) -> str:
        await self._names.learn(self.client, self.conversation_id, [author])
        return self._names.of(author)

    @asynccontextmanager
    async def _waiting(self, turn_id: str, question: str = "") -> AsyncIterator[None]:
        """The turn is the one that is waited for; says how long already, if it takes long."""
        self._turn_id, self._speaks = turn_id, False
        self.news.own(turn_id, question)
        clock = asyncio.create_task(self._tell_time(), name="chat-clock")
        try:
            yield
        finally:
            clock.cancel()
            self._turn_id = ""

    async def _tell_time(self) -> None:
        began = time.monotonic()
        await asyncio.sleep(_SAID_AFTER_S)
        while True:
            self._screen.detail(f"{time.monotonic() - began:.0f} s")
            await asyncio.sleep(1.0)

    async def _open(self, text: str) -> LiveConversation:
        if not self.conversation_id:
            title = text.strip().partition("\n")[0][:_TITLE_LENGTH]
            made = await self.client.create_conversation(
                title,
                tools=self.wishes.tools,
                labels=self.wishes.labels,
                language=self.wishes.language,
            )
            self.conversation_id = made.conversation_id
        if self._live is not None and self._live.failed:
            self._cursor = self._live.cursor or self._cursor
            await self._live.__aexit__(None, None, None)
            self._live = None
        if self._live is None:
            self._live = await self._converse()
        return self._live

    async def _show(self, turn: TurnHandle) -> TurnResult | Paused:
        self._updates = turn.updates()
        return await self._show_more(turn)

    async def _show_more(self, turn: TurnHandle) -> TurnResult | Paused:
        """Show what comes, until the turn has ended or somebody has to decide about a call."""
        async for update in self._updates:
            if isinstance(update, str):
                self._begin_answer()
                self._screen.text(update)
            elif isinstance(update, ChildStatus):
                self._trees.show(update)
            elif isinstance(update, CallStatus):
                if update.waits and self.decides and not turn.is_decided(update.proposed):
                    return Undecided(turn, update.proposed)
                if not self._trees.have_shown(update):
                    show_call(self._screen, update, self.conversation_id)
            elif isinstance(update, QuestionStatus) and await self._is_asked(update):
                if not turn.is_answered(update.asked):
                    return Unanswered(turn, update.proposed, update.asked)
            elif isinstance(update, HandoffStatus) and update.waits and self._is_left():
                return Handed(turn, update.handoff)
            elif update.sentence:
                self._screen.status(update.sentence, update.fraction)
        self._begin_answer()
        self._screen.end_line()
        return await turn.result()

    async def _is_asked(self, update: QuestionStatus) -> bool:
        """Whether the user may answer it here."""
        if not update.waits or not self.decides:
            return False
        asked_of = update.asked.asked_of
        return not asked_of or not await self._name(asked_of)

    def _is_left(self) -> bool:
        """Whether nobody waits here until people have answered."""
        return self.decides and not self._screen.is_terminal

    async def decide(
        self, what: Undecided, *, approve: bool, reason: str = ""
    ) -> TurnResult | Paused:
        """Approve or deny a call that waits, and show what comes then."""
        async with self._waiting(what.turn.turn_id):
            try:
                await self.client.decide_tool_call(
                    self.conversation_id,
                    what.turn.turn_id,
                    what.call,
                    approve=approve,
                    reason=reason,
                )
            except AntiphonError as error:
                if error.reason != "TOOL_CALL_ENDED":  # else the turn says what became of it
                    raise
            return await self._show_more(what.turn)

    async def answer(self, what: Unanswered, said: Said) -> TurnResult | Paused:
        """Say to a question what the user says, and show what comes then."""
        async with self._waiting(what.turn.turn_id):
            filled = said.action == TOOL_ANSWER_ACTION_ACCEPTED and not what.asked.question.url
            try:
                await self.client.answer_tool_call(
                    self.conversation_id,
                    what.turn.turn_id,
                    what.asked,
                    said.action,
                    said.content if filled else None,
                )
            except AntiphonError as error:
                if error.reason != "TOOL_CALL_ENDED":  # else the turn says what became of it
                    raise
            return await self._show_more(what.turn)

    def _begin_answer(self) -> None:
        """From now on nothing is between its text and what is said of it at its end."""
        if not self._speaks:
            self.show_news()
            self._speaks = True
            self.news.begin_answer(self._turn_id)

    def show_news(self) -> None:
        """While an answer is awaited: before it begins. Else the keyboard does it."""
        if self._turn_id and self.news and not self._speaks:
            self.news.show()
