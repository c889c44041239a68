"""Every store keeps erasures that take a while, and finds what they are to erase."""

from antiphon_server.context.model.erasure_tasks import CONVERSATION, ErasureTask, Unerased
from antiphon_server.context.ports import Records, Store
from tests.contract.context_store.world import TALK, said

AGAIN = 10
"""So much later one that can't go on is looked at again."""
TASKS = [ErasureTask(f"{CONVERSATION}conv_0000000{it}", it) for it in range(1, 5)]
AUTHOR = "handlers/echo"


async def claimed(store: Store, now: int) -> str:
    """Which one is taken up then."""
    task = await store.write(lambda r: r.erasure_tasks.claim(now, now + AGAIN))
    return task.resource if task is not None else ""


async def tried(store: Store, task: ErasureTask, now: int) -> None:
    """Have one be begun then that can't go on."""
    await store.write(lambda r: r.erasure_tasks.add(task))
    assert await claimed(store, now) == task.resource
    await store.write(lambda r: r.erasure_tasks.put(task, now + AGAIN))


async def test_who_was_tried_longest_ago_comes_first(store: Store) -> None:
    """Old ones that can't go on hold up none that is new."""
    *blocked, new = TASKS
    for now, task in enumerate(blocked, 1):
        await tried(store, task, now)
    await store.write(lambda r: r.erasure_tasks.add(new))
    due = 1 + AGAIN
    order = [await claimed(store, due + it) for it in range(4)]
    assert order == [it.resource for it in (new, *blocked)]
    assert await claimed(store, due) == ""


async def test_one_that_is_not_done_stays(store: Store) -> None:
    """Who begins it a second time is told so; once it is done, it begins anew."""
    (task, *_), until = TASKS, 100
    done, anew = ErasureTask(task.resource, 1, done_us=2), ErasureTask(task.resource, 3)

    def begun(records: Records, it: ErasureTask) -> tuple[bool, ErasureTask | None]:
        return records.erasure_tasks.add(it), records.erasure_tasks.get(task.resource)

    assert await store.write(lambda r: begun(r, task)) == (True, task)
    assert await store.write(lambda r: begun(r, anew)) == (False, task)
    await store.write(lambda r: r.erasure_tasks.put(done, until))
    assert await store.write(lambda r: begun(r, anew)) == (True, anew)


async def test_messages_are_found_behind_a_place(store: Store) -> None:
    """Of a conversation and of an author, each with its turn; erased ones are not."""
    where = TALK.conversation_id
    those = [said(it, "turn_1" if it == 2 else "") for it in range(1, 6)]

    def work(records: Records) -> None:
        records.messages.add(those)
        records.messages.erase(where, [those[2].message_id])

    await store.write(work)
    left = [Unerased(where, it.offset, it.message_id, it.turn_id) for it in those]
    left.pop(2)
    tasks = [
        await store.read(lambda r: r.erasure_tasks.unerased(where, left[0].offset, 2)),
        await store.read(lambda r: r.erasure_tasks.said_by(AUTHOR, left[0], 2)),
        await store.read(lambda r: r.erasure_tasks.said_by(AUTHOR, None, 9)),
        await store.read(lambda r: r.erasure_tasks.said_by("users/a", None, 9)),
    ]
    assert tasks == [left[1:3], left[1:3], left, []]
