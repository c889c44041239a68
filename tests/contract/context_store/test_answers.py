"""Every store takes out of past answers what they say of a conversation that is erased."""

from antiphon.context.v1.conversation_pb2 import Conversation
from antiphon_server.context.adapters.sql.erasure_tasks import SqlErasureTasks
from antiphon_server.context.adapters.tables import metadata, requests
from antiphon_server.runtime.storage.database import Database
from tests.contract.context_store.world import TALK
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, metadata)
SAID = Conversation(
    conversation_id=TALK.conversation_id, title="T", instructions="I", labels={"a": "b"}
).SerializeToString()
LEFT = Conversation(conversation_id=TALK.conversation_id).SerializeToString()
UNREADABLE = b"\xff"


async def test_what_tells_of_others_is_not_even_read(database: Database) -> None:
    """There may be very many; those of servers of the version before don't say of which."""
    kept = {"one": (TALK.conversation_id, SAID), "old": ("", SAID), "other": ("c2", UNREADABLE)}
    common = {"actor": "users/a", "digest": b"1", "kind": "conversation", "create_us": 1}
    rows = [
        {**common, "request_id": it, "conversation_id": of, "answer": answer}
        for it, (of, answer) in kept.items()
    ]
    await database.write(lambda it: it.execute(requests.insert(), rows))
    await database.write(lambda it: SqlErasureTasks(it).strip_answers(TALK.conversation_id))
    found = await database.read(lambda it: it.execute(requests.select()).all())
    answers = {it.request_id: bytes(it.answer) for it in found}
    assert answers == {"one": LEFT, "old": LEFT, "other": UNREADABLE}
