"""Hand-offs as people read them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from antiphon.events.v1.event_pb2 import EVENT_KIND_HANDOFF_QUEUE_CHANGED
from antiphon_client import text_of
from antiphon_server.cli.console import fail, in_a_line, print_json, say
from antiphon_server.cli.encoding import as_dict, local_time
from antiphon_server.cli.table import print_table

if TYPE_CHECKING:
    from antiphon.context.v1.message_pb2 import Message
    from antiphon.dispatcher.v1.handoff_pb2 import QueuedHandoff
    from antiphon.events.v1.handoff_pb2 import Handoff
    from antiphon_client import Client

_HEADINGS = ("handoff", "since", "until", "at it", "for", "from", "asked", "in", "why")
_TIME = "%m-%d %H:%M %Z"
_LAST = 10


async def queue(client: "Client", workspace: str) -> "list[QueuedHandoff]":
    """What waits in a workspace and the caller may take."""
    return [it async for it in client.list_handoffs(workspace)]


async def queued_of(client: "Client", workspace: str, handoff: str) -> "QueuedHandoff":
    """The one of that id, in the workspace that is said, or in any."""
    all_of_them = [it.workspace_id async for it in client.list_workspaces()]
    for where in [workspace] if workspace else all_of_them:
        async for it in client.list_handoffs(where):
            if it.handoff.handoff_id == handoff:
                return it
    return fail("no such hand-off waits for you; `antiphon handoffs` lists those that do")


async def changes(client: "Client", workspace: str) -> AsyncGenerator[None]:
    """Something whenever the queue has changed."""
    kinds = [EVENT_KIND_HANDOFF_QUEUE_CHANGED]
    async for _ in client.follow(f"workspaces/{workspace}", kinds=kinds):
        yield


def print_queue(found: "Sequence[QueuedHandoff]", json: bool) -> None:
    """All of them, in a table or as JSON."""
    if json:
        for it in found:
            print_json(as_dict(it))
    elif found:
        print_table(_HEADINGS, map(_row, found), whole=True)


def _row(it: "QueuedHandoff") -> tuple[str, ...]:
    handoff = it.handoff
    since, until = (local_time(time, _TIME) for time in (handoff.create_time, handoff.expire_time))
    return (
        handoff.handoff_id,
        since,
        until,
        _name(it, handoff.claimed_by) or "nobody",
        _for(handoff),
        _name(it, it.turn.creator),
        it.turn.first_line,
        it.title,
        handoff.reason,
    )


def _name(it: "QueuedHandoff", actor: str) -> str:
    """What somebody is called there, or else how they are named."""
    return it.display_names.get(actor) or actor.removeprefix("users/")


def _for(handoff: "Handoff") -> str:
    from antiphon.auth.v1.access_pb2 import ROLE_MEMBER

    return "members" if handoff.role == ROLE_MEMBER else "admins"


async def show_whole(client: "Client", it: "QueuedHandoff", json: bool) -> None:
    """One of them, with what was said last where it waits."""
    if json:
        print_json(as_dict(it))
        return
    handoff = it.handoff
    title = f": {it.title}" if it.title else ""
    say(in_a_line(f"{handoff.handoff_id} in {it.conversation_id}{title}"))
    since = local_time(handoff.create_time, _TIME)
    say(in_a_line(f"from {_name(it, it.turn.creator)}, since {since}: {it.turn.first_line}"))
    asked_by = _name(it, handoff.asked_by)
    say(in_a_line(f"why: {handoff.reason or 'nobody said'} (by {asked_by})"))
    say(in_a_line(f"for {_for(handoff)}, until {local_time(handoff.expire_time, _TIME)}"))
    if handoff.held_for:
        it_goes = f"`antiphon handoffs return {handoff.handoff_id}` gives it to {handoff.held_for}"
        say(in_a_line(f"held by a filter: {it_goes}"))
    say(in_a_line(f"then: {_otherwise(handoff)}"))
    say(in_a_line(f"at it: {_name(it, handoff.claimed_by) or 'nobody'}"))
    for message in reversed(await _newest(client, it.conversation_id)):
        say("")
        say(in_a_line(f"{_name(it, message.author)}:"))
        say(text_of(message.parts))


async def _newest(client: "Client", conversation_id: str) -> "list[Message]":
    found = []
    async with aclosing(client.list_messages(conversation_id)) as messages:
        async for message in messages:
            found.append(message)
            if len(found) == _LAST:
                break
    return found


def _otherwise(handoff: "Handoff") -> str:
    match handoff.otherwise.WhichOneof("what"):
        case "text":
            return f"“{handoff.otherwise.text}” is answered"
        case "handler":
            return f"{handoff.otherwise.handler} goes on"
        case _:
            return "the turn fails"
