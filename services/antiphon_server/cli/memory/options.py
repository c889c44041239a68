"""What the commands about memories share."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import CommandError, in_a_line
from antiphon_server.cli.written import id_of, scope_of

if TYPE_CHECKING:
    from antiphon.memory.v1.memory_pb2 import Memory, MemoryKind
    from antiphon_client import Client

Which = Annotated[str, typer.Argument(metavar="MEMORY", help="Which: mem_…, as `list` says.")]
Where = Annotated[
    str,
    typer.Option(
        "--scope",
        "-s",
        metavar="ID",
        help="Whose: conv_… or ws_…; else your own (me).",
    ),
]


class KindName(StrEnum):
    """What sort of thing it is."""

    FACT = "fact"
    PREFERENCE = "preference"
    EVENT = "event"
    NOTE = "note"


def kind_of(name: KindName) -> "MemoryKind.ValueType":
    """The contract's."""
    from antiphon.memory.v1.memory_pb2 import MemoryKind

    return MemoryKind.Value(f"MEMORY_KIND_{name.name}")


async def found(client: "Client", memory_id: str, scope: str) -> "Memory":
    """The memory: of the scope, else your own, or one about you elsewhere. Raises CommandError."""
    from antiphon_client import NotFound

    id_of(memory_id, "mem", "MEMORY")
    try:
        return await client.get_memory(memory_id, await scope_of(client, scope))
    except NotFound:
        if not scope:
            async for it in client.export_memories():
                if it.memory.memory_id == memory_id:
                    return it.memory
        raise CommandError(
            f"there is no memory {in_a_line(memory_id)} here, or you may not read it: `antiphon"
            " memory list` shows yours; of a conversation's or workspace's say whose it is, as"
            " --scope conv_…"
        ) from None
