"""``antiphon tools result``: a result that is kept whole, read to its end."""

from pathlib import Path
from typing import TYPE_CHECKING

from antiphon_server.cli.console import aside, fail, in_a_line, say

if TYPE_CHECKING:
    from antiphon_client import Client


async def show_result(
    client: "Client", conversation: str, call: str, part: int, output: Path | None
) -> None:
    """Print a part of a result that is a text, or write whatever it is into a new file."""
    first = await client.read_tool_result(conversation, call, part)
    kind = in_a_line(first.media_type)
    about = f"part {part}, of {first.parts} from 0 on: {kind}, {first.size_bytes:,} bytes"
    if output is None and first.media_type != "text/plain":
        fail(f"{about}; say where it shall be written, by --output FILE", 2)
    data = bytearray()
    async for piece in client.tool_result_data(conversation, call, part):
        data += piece
    if output is None:
        say(data.decode(errors="replace"))
    else:
        _write(output, data)
    aside(about)


def _write(output: Path, data: bytes | bytearray) -> None:
    try:
        with output.open("xb") as file:
            file.write(data)
    except OSError as error:
        fail(f"{output} can't be written: {error.strerror}", 1)
