"""Ten people in one index: nobody is told what is not theirs, by any RPC that reads."""

from collections import defaultdict
from pathlib import Path

from antiphon_server.runtime.concurrency.tasks import together
from tests.e2e.server import ServerProcess
from tests.proofs.isolation.asking import answers, reading_rpcs
from tests.proofs.isolation.crowd import Crowd, crowd, settled

TELLING = {"SearchMessages", "Recall", "ListMemories", "GetMemory", "GetWhiteboard"}
"""RPCs that must have told what is somebody's own, or nothing is shown by the rest."""


async def test_nobody_is_told_what_is_not_theirs(tmp_path: Path) -> None:
    """Whatever they ask, of whatever place; and a member who is removed is told nothing at once."""
    async with ServerProcess(tmp_path) as server, crowd(server) as everybody:
        await settled()
        told = await all_told(everybody)
        for user_id in everybody.people:
            readable = everybody.readable(user_id)
            for rpc, words in told[user_id].items():
                assert words <= readable, (rpc, words - readable)
            assert set.union(*told[user_id].values()) == readable
            for rpc in TELLING:
                assert told[user_id][rpc], rpc
        await removed(everybody)
        assert server.defects == []


async def removed(everybody: Crowd) -> None:
    """Somebody leaves the first lab: from the answer on it is as if it were not there."""
    first = everybody.places
    members = next(it.readers for it in first if it.word == "zqwork0x")
    owner, leaver, *_ = [it for it in everybody.people if it in members]
    client = everybody.people[owner]
    for place in first:
        if leaver in place.readers and place.conversation_id and place.workspace_id:
            await client.remove_member(place.conversation_id, leaver)
    await client.remove_member(everybody.labs[0], leaver)
    own = {it.word for it in first if it.readers == {leaver}}
    for rpc, words in (await all_told(everybody, [leaver]))[leaver].items():
        assert words <= own, (rpc, words - own)


async def all_told(
    everybody: Crowd, user_ids: list[str] | None = None
) -> dict[str, dict[str, set[str]]]:
    """By person and RPC the words that they were told, but for those that they asked for.

    They ask at once: each has a share of the server, and alone would take minutes.
    """
    asking = user_ids or list(everybody.people)
    told = await together([_told(everybody, user_id) for user_id in asking])
    return dict(zip(asking, told, strict=True))


async def _told(everybody: Crowd, user_id: str) -> dict[str, set[str]]:
    client, words = everybody.people[user_id], defaultdict[str, set[str]](set)
    for rpc in reading_rpcs():
        for place in everybody.places:
            for text in await answers(client, rpc, place, user_id):
                words[rpc.method.name] |= everybody.told(text)
    return dict(words)
