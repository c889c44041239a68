"""``antiphon memory list``, ``show`` and ``export``."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import aside, in_a_line, print_json, run, say
from antiphon_server.cli.memory.options import KindName, Where, Which, found, kind_of
from antiphon_server.cli.memory.words import kind_name, origin_name, since_of, state_name
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.written import scope_of

if TYPE_CHECKING:
    from antiphon.memory.v1.memory_pb2 import Memory
    from antiphon_client import Client

_HEADINGS = ("memory", "kind", "what", "since", "from")


def list_memories(
    kind: Annotated[
        list[KindName] | None, typer.Option("--kind", "-k", help="Only these; repeatable.")
    ] = None,
    past: Annotated[
        bool,
        typer.Option(
            "--past", help="Also those that others have taken the place of, or were put away."
        ),
    ] = False,
    scope: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """List what is remembered of you: your own, and what is about you where you can read it.

    With `--scope` it is all that is remembered in a conversation or a workspace.

    For example:

    - `antiphon memory list`
    - `antiphon memory list --kind preference --past`
    - `antiphon memory list --scope conv_… --json`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict
        from antiphon_server.cli.table import print_table

        async with client_for(address, data_dir) as client:
            where = await scope_of(client, scope)
            listed = _listed(client, where, set(map(kind_of, kind or ())), past)
            memories = [it async for it in listed]
        if json:
            for it in memories:
                print_json(as_dict(it))
        elif memories:
            print_table(_HEADINGS, list(map(_row, memories)))
        else:
            aside("Nothing is remembered: `antiphon memory add TEXT` does.")

    run(work())


async def _listed(
    client: "Client", scope: str, kinds: set[int], past: bool
) -> AsyncGenerator["Memory"]:
    """A scope's, or all that is remembered of the caller; those in use, and past ones if asked."""
    from antiphon.memory.v1 import memory_pb2 as pb

    states = [pb.MEMORY_STATE_ACTIVE]
    if past:
        states += [pb.MEMORY_STATE_SUPERSEDED, pb.MEMORY_STATE_PRUNED]
    if scope:
        async for memory in client.list_memories(scope, states=states):
            if not kinds or memory.kind in kinds:
                yield memory
        return
    async for exported in client.export_memories():
        memory = exported.memory
        if memory.state in states and (not kinds or memory.kind in kinds):
            yield memory


def _row(it: "Memory") -> tuple[str, ...]:
    state = "" if state_name(it) == "active" else f" ({state_name(it)})"
    return it.memory_id, kind_name(it) + state, it.text, since_of(it), origin_name(it)


def show(
    memory: Which,
    scope: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Show a memory: what it says, where it comes from, and what it was before.

    For example:

    - `antiphon memory show mem_…`
    - `antiphon memory show mem_… --scope ws_…`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict

        async with client_for(address, data_dir) as client:
            known = await found(client, memory, scope)
            versions = [it async for it in client.list_memory_versions(memory, known.scope)]
        if json:
            print_json({**as_dict(known), "versions": list(map(as_dict, versions))})
            return
        _tell(known, versions)

    run(work())


def _tell(it: "Memory", versions: "list[Memory]") -> None:
    from antiphon_server.cli.encoding import local_time

    told = {
        "memory": it.memory_id,
        "says": it.text,
        "kind": kind_name(it),
        "state": state_name(it),
        "follower": it.superseded_by,
        "instead": it.supersedes and f"of {it.supersedes}",
        "whose": it.scope,
        "about": it.subject,
        "names": ", ".join(it.entities),
        "holds": since_of(it),
        "expires": local_time(it.expire_time),
        "put": f"{local_time(it.create_time)} by {it.creator}" if it.creator else "",
    }
    for name, value in told.items():
        if value:
            say(in_a_line(f"{name:8} {value}"))
    for source in it.sources:
        where = f"{source.conversation_id}/{source.message_id}"
        stretch = f", characters {source.start} to {source.end}" if source.end else ""
        say(in_a_line(f"{'from':8} {where}{stretch}" if source.message_id else "from     (hidden)"))
    for version, follower in zip(versions, [it, *versions], strict=False):
        what = version.text if version.text != follower.text else _difference(version, follower)
        say(in_a_line(f"{'was':8} {what}  ({local_time(version.update_time)})"))


def _difference(it: "Memory", follower: "Memory") -> str:
    """What it was, where it is not its words that were changed."""
    told = {
        "": (kind_name(it), kind_name(follower)),
        "state": (state_name(it), state_name(follower)),
        "about": (it.subject, follower.subject),
        "names": (", ".join(it.entities), ", ".join(follower.entities)),
        "holds": (since_of(it), since_of(follower)),
        "importance": (f"{it.importance:g}", f"{follower.importance:g}"),
    }
    changed = [f"{name} {was or 'none'}".strip() for name, (was, now) in told.items() if was != now]
    return "; ".join(changed) or "the same, in these words"


def export(address: Address = "", data_dir: DataDir = None) -> None:
    """Print all that is remembered of you as JSON, a memory a line with all that it was.

    For example:

    - `antiphon memory export > memories.jsonl`
    - `antiphon memory export | jq -r .memory.text`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict

        async with client_for(address, data_dir) as client:
            async for it in client.export_memories():
                print_json(as_dict(it))

    run(work())
