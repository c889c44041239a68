"""What the commands about memories share."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import CommandError, fail, in_a_line

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
        help="Whose: conv_… or ws_…; else your own.",
    ),
]
_DAY = timedelta(days=1)
_PREFIXES = {"conv_": "conversations/", "ws_": "workspaces/", "user_": "users/"}


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


def scope_of(name: str) -> str:
    """A scope by what is named: conv_…, ws_…, user_…, or a scope as it is. Raises CommandError."""
    if not name or name.startswith(tuple(_PREFIXES.values())):
        return name
    for prefix, scope in _PREFIXES.items():
        if name.startswith(prefix):
            return scope + name
    raise CommandError(f"--scope {in_a_line(name)} is no scope: write conv_… or ws_…")


def day_of(written: str, option: str, later: timedelta = timedelta()) -> datetime | None:
    """When a day begins here, or a time as it is written; None for ""; else ends the command."""
    if not written:
        return None
    try:
        if len(written) == len("2026-11-01"):
            midnight = datetime.combine(date.fromisoformat(written), datetime.min.time())
            return (midnight + later).astimezone()
        return datetime.fromisoformat(written).astimezone()
    except (ValueError, OverflowError):
        fail(f"{option}: {in_a_line(written)} is no date; write one like 2026-11-01", 2)


async def found(client: "Client", memory_id: str, scope: str) -> "Memory":
    """The memory: of the scope, else your own, or one about you elsewhere. Raises CommandError."""
    from antiphon_client import NotFound

    try:
        return await client.get_memory(memory_id, scope_of(scope))
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
