"""Whether a text is anywhere: in the files of a server, in its tables, in what it answers."""

from contextlib import aclosing
from pathlib import Path

from antiphon.memory.v1.memory_pb2 import MemoryState
from antiphon_client import AntiphonError, Client
from tests.e2e.stored_rows import stored_rows

_PIECE = 1 << 20


def files_with(folder: Path, text: str) -> list[str]:
    """The files that have it, in any folder below."""
    wanted = text.encode()
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and _has(path, wanted)
    ]


def _has(path: Path, wanted: bytes) -> bool:
    """Pieces overlap, so that none is missed between two."""
    before = b""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            if wanted in before + piece:
                return True
            before = piece[-len(wanted) :]
    return False


async def rows_with(data_dir: Path, text: str, url: str = "") -> list[str]:
    """The tables that have it, in any column."""
    rows = await stored_rows(data_dir, url)
    return sorted(name for name, them in rows.items() if any(text in row for row in them))


async def answers_with(client: Client, conversation_id: str, text: str) -> list[str]:
    """The calls about the conversation whose answers have it."""
    answers = {
        "ReadEvents": await _read(client, conversation_id),
        "ListMessages": "".join([str(it) async for it in client.list_messages(conversation_id)]),
        "GetContext": str(await client.get_context(conversation_id)),
        "SearchMessages": str(await client.search_messages(text)),
        "Subscribe": "".join(await followed(client, conversation_id)),
        "ListConversations": "".join([str(it) async for it in client.list_conversations()]),
        "Recall": str(await client.recall(text)),
        "ListMemories": await _remembered(client),
        "GetWhiteboard": await _on_whiteboard(client, conversation_id),
        "ExplainContext": await _explained(client, conversation_id),
    }
    return [name for name, answer in answers.items() if text in answer]


async def followed(client: Client, conversation_id: str) -> list[str]:
    """All events of the conversation's log, as a stream brings them; their offsets are checked."""
    scope = f"conversations/{conversation_id}"
    head = (await client.get_head(scope)).last_offset
    found: list[str] = []
    last = 0
    async with aclosing(aiter(client.follow(scope, earliest=True))) as events:
        async for event in events:
            assert event.first_offset == last + 1, (last, event)
            last = event.last_offset
            found.append(str(event))
            if last >= head:
                break
    return found


async def _read(client: Client, conversation_id: str) -> str:
    found, cursor, at_head = "", "", False
    while not at_head:
        page = await client.read_events(f"conversations/{conversation_id}", cursor)
        found, cursor, at_head = found + str(page), page.cursor, page.at_head
    return found


async def _remembered(client: Client) -> str:
    """All of the caller's memories, of whatever state, with what they were."""
    states = [it for it in MemoryState.values() if it]
    found = [it async for it in client.list_memories(states=states)]
    for memory in list(found):
        found += [it async for it in client.list_memory_versions(memory.memory_id)]
    return "".join(map(str, found))


async def _on_whiteboard(client: Client, conversation_id: str) -> str:
    """What is there, and was."""
    versions = await client.list_section_versions(conversation_id)
    return str(await client.get_whiteboard(conversation_id)) + str(versions)


async def _explained(client: Client, conversation_id: str) -> str:
    """What models of turns were shown."""
    said = [it async for it in client.list_messages(conversation_id)]
    found = ""
    for turn_id in {it.turn_id for it in said if it.turn_id}:
        try:
            found += str(await client.explain_context(conversation_id, turn_id))
        except AntiphonError as error:
            if error.reason != "NOT_FOUND":
                raise
    return found
