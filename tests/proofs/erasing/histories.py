"""Seeded histories: things are said, some of them erased, and the server is killed in between."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from random import Random

from antiphon.memory.v1.memory_pb2 import MemorySource
from antiphon_client import AntiphonError, Client, Password
from tests.e2e.callers import PASSWORD
from tests.e2e.canaries import answers_with, files_with, followed, rows_with
from tests.e2e.server import ServerProcess
from tests.e2e.stored_rows import stored_rows

SIZES = (5, 60, 400, 3000, 40_000)
"""Of texts, in words: some need pages of their own."""
KILLED_WITHIN_S = 0.08
LONGEST_ECHO = 1000
"""Characters: the handler says a word at a time."""
RULES = {"ANTIPHON_REMEMBER_BY_RULES": "true"}
"""Facts are found in what is said."""
PAUSE_S = 6.0
"""Longer than rules pause."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a history: where canaries were found, and what of it was told."""

    seed: int
    found: list[str]
    killed: bool
    answered: bool
    word: str = ""
    erased: bool = True
    remembered: bool = False
    """Whether something that has the word was remembered when it was erased."""
    what: str = "messages"


@dataclass(slots=True)
class History:
    """One conversation, and what of it is to be erased."""

    server: ServerProcess
    chance: Random
    word: str
    here: str = ""
    what: str = "messages"
    """What is erased: messages, the conversation, its workspace, or all of who has said it."""
    lab: str = ""
    """The workspace, if that is erased."""
    titled: bool = False
    """Whether the conversation's title was taken from what has the word."""
    remembered: bool = False

    async def say(self, client: Client) -> list[str]:
        """Say some things, of which some have the word; returns the ids of those that have it."""
        self.titled = self.chance.random() < 0.3
        title = f"it is {self.word}" if self.titled else "something"
        if self.what == "workspace":
            self.lab = (await client.create_workspace(f"lab of {self.word}")).workspace_id
        made = await client.create_conversation(title, workspace_id=self.lab)
        self.here = made.conversation_id
        marked: list[str] = []
        for _ in range(self.chance.randint(2, 6)):
            has = self.chance.random() < 0.5
            text = self._text(self.word if has else "nothing")
            message_id = await self._said(client, text)
            marked += [message_id] if has else []
        return marked or [await self._said(client, self._text(self.word))]

    def _text(self, word: str) -> str:
        words = [f"w{self.chance.randrange(9999)}" for _ in range(self.chance.choice(SIZES))]
        words.insert(self.chance.randrange(len(words) + 1), word)
        if not self.titled and self.chance.random() < 0.3:
            words = ["I", "love", f"{word}.", *words]
        elif self.titled or self.chance.random() < 0.5:
            words = ["it", "is", word, *words]
        return " ".join(words)

    async def _said(self, client: Client, text: str) -> str:
        if self.chance.random() < 0.4 or len(text) > LONGEST_ECHO:
            return (await client.post_message(self.here, text, in_context=True)).message_id
        sent = await client.dispatch(self.here, text, handler="echo")
        follow = client.follow(f"conversations/{self.here}", cursor=sent.cursor)
        first = ""
        async with aclosing(aiter(follow)) as events:
            async for event in events:
                if event.turn_id != sent.turn.turn_id:
                    continue
                if event.HasField("message_posted"):
                    first = first or event.message_posted.message.message_id
                if event.HasField("turn_finished"):
                    break
        return first

    async def remember(self, client: Client, marked: list[str]) -> None:
        """Have some of it remembered: put by hand, and found by rules, as chance has it."""
        await client.search_messages(self.word)  # so that the conversation is known to rules
        if self.chance.random() < 0.5:
            which = self.chance.choice(marked)
            source = MemorySource(conversation_id=self.here, message_id=which)
            put = await client.put_memory(f"so it is {self.word}", sources=[source])
            put.text = f"no, it is {self.word}"
            await client.update_memory(put, "text")
            self.remembered = True
        until = time.monotonic() + (PAUSE_S if self.chance.random() < 0.3 else 0)
        if self.lab:
            await client.put_memory(f"there is {self.word}", f"workspaces/{self.lab}")
            await client.update_profile(self.lab, call_name=self.word)
        if self.what in ("conversation", "workspace"):
            await client.write_section(self.here, f"of {self.word}", f"it is {self.word}")
            await client.put_memory(f"here is {self.word}", f"conversations/{self.here}")
        while time.monotonic() < until:
            if any([f"likes {self.word}" in it.text async for it in client.list_memories()]):
                self.remembered = True
                break
            await asyncio.sleep(0.2)

    async def erase(self, client: Client, marked: list[str]) -> None:
        """Erase them, with answers; or all of the conversation, the workspace or the person."""
        if self.lab:
            await client.erasure_done(client.erase_workspace, self.lab)
            return
        if self.what == "conversation":
            await client.erasure_done(client.erase_conversation, self.here)
            return
        if self.what == "person":
            me = (await client.who_am_i()).user.user_id
            await client.erasure_done(client.erase_person, me)
            return
        await client.erase_messages(self.here, marked, answers=True)

    async def places(self, client: Client) -> list[str]:
        """Where the word is; the offsets of the log are looked at, too."""
        await followed(client, self.here)
        folder = self.server.data_dir
        answers = await answers_with(client, self.here, self.word)
        return [*answers, *await rows_with(folder, self.word), *files_with(folder, self.word)]


@asynccontextmanager
async def _person(server: ServerProcess, history: History) -> AsyncIterator[Client]:
    """Who says and erases it: where all of a person is erased, one of its own."""
    if history.what != "person":
        async with server.client() as client:
            yield client
        return
    name = f"u{history.word[-12:]}"
    async with server.client() as operator:
        try:
            await operator.create_user(name, PASSWORD)
        except AntiphonError as error:
            if error.reason != "ALREADY_EXISTS":
                raise
    async with Client.connect(server.address, Password(name, PASSWORD)) as client:
        yield client


async def run(server: ServerProcess, seed: int, what: str = "messages") -> Run:
    """Make one history on a server that serves; it serves again at the end."""
    chance = Random(seed)
    word = f"canary{chance.randrange(1 << 64):016x}"
    history = History(server, chance, word, what=what)
    kills, repeats = chance.random() < 0.7, chance.random() < 0.7
    within_s = KILLED_WITHIN_S if what == "messages" else KILLED_WITHIN_S * 40
    answered = False
    async with _person(server, history) as client:
        marked = await history.say(client)
        await history.remember(client, marked)
        erasing = asyncio.ensure_future(history.erase(client, marked))
        if kills:
            await asyncio.sleep(chance.random() * within_s)
            answered = erasing.done() and erasing.exception() is None
            await server.kill()
            erasing.cancel()
        await asyncio.wait([erasing])
    if kills:
        await server.start()
    async with _person(server, history) as client:
        if kills and not answered and not repeats:
            found = await _settled(history, client, marked)
        else:
            if kills and not answered:
                await history.erase(client, marked)
            elif not kills:
                erasing.result()
            found = await history.places(client)
        said = [it async for it in client.list_messages(history.here)]
    erased = any(it.erased for it in said)
    return Run(seed, found, kills, answered, word, erased, history.remembered, what)


async def _settled(history: History, client: Client, marked: list[str]) -> list[str]:
    """Nobody asks again: either nothing was begun, or it is finished without them."""
    for _ in range(100):
        erased = {it.message_id: it.erased async for it in client.list_messages(history.here)}
        if all(erased[it] for it in marked):
            try:
                await history.erase(client, marked)
            except AntiphonError as error:
                return [str(error)]
            return await history.places(client)
        if not any(erased.values()):
            rows = await rows_with(history.server.data_dir, "erase_")
            begun = await _task_of(history, client)
            if not begun and "context_erasures" not in rows:
                return []
        await asyncio.sleep(0.1)
    return ["it is half erased"]


async def _task_of(history: History, client: Client) -> bool:
    """Whether all of it was begun to be erased."""
    if history.what == "messages":
        return False
    which = history.lab or history.here
    if history.what == "person":
        which = (await client.who_am_i()).user.user_id
    rows = await stored_rows(history.server.data_dir, "")
    return any(which in row for row in rows["context_erasure_tasks"])
