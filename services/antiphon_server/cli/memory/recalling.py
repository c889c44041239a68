"""``antiphon memory recall``."""

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import aside, in_a_line, print_json, run, say
from antiphon_server.cli.counts import counted
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.written import authors_of, scope_of, text_of, time_of

if TYPE_CHECKING:
    from antiphon.memory.v1.search_service_pb2 import Recalled, RecallResponse

_ALONE = {2: "did not answer in time", 3: "failed", 4: "is left alone for a while"}
"""Of ExternalMemoryAnswer those without an answer."""


def recall(
    query: Annotated[
        list[str], typer.Argument(metavar="WORDS…", help="What to look for, as you would ask.")
    ],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            "-s",
            metavar="ID",
            help="Only there: conv_…, ws_… (its conversations, too), me; repeatable.",
        ),
    ] = None,
    kinds: Annotated[
        str,
        typer.Option(
            "--kinds",
            metavar="KIND,…",
            help="Only these: message, fact, preference, event, note. Default: all.",
        ),
    ] = "",
    person: Annotated[
        list[str] | None,
        typer.Option("--person", metavar="WHO", help="Only by or about me or user_…; repeatable."),
    ] = None,
    since: Annotated[
        str, typer.Option("--since", metavar="DATE", help="From that day on, as 2026-11-01.")
    ] = "",
    tokens: Annotated[
        int, typer.Option("--tokens", min=0, help="So many at most, together; 0 for no bound.")
    ] = 0,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=100, help="How many at most.")
    ] = 10,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Find what helps with a question: messages and memories together, the best first, and why.

    For example:

    - `antiphon memory recall "where does Anna live"`
    - `antiphon memory recall "how to answer" --kinds preference --tokens 200`
    - `antiphon memory recall budget --scope ws_… --since 2026-11-01`
    """

    async def work() -> None:
        from antiphon.memory.v1.search_service_pb2 import RecalledKind
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict
        from antiphon_server.cli.kinds import named

        asked = text_of(" ".join(query), "WORDS", '"where does Anna live"')
        wanted = named(RecalledKind.items(), "RECALLED_KIND_", kinds)
        begins = time_of(since, "--since")
        async with client_for(address, data_dir) as client:
            found = await client.recall(
                asked,
                scopes=[await scope_of(client, it) for it in scope or ()],
                kinds=wanted,
                people=await authors_of(client, person, "--person"),
                not_before=begins,
                limit=limit,
                max_tokens=tokens,
            )
        for it in found.recalled:
            if json:
                print_json(as_dict(it))
            else:
                _show(it)
        _tell(found)

    run(work())


def _show(it: "Recalled") -> None:
    from antiphon_server.cli.memory.words import kind_name, not_now

    if it.HasField("memory"):
        head = f"{kind_name(it.memory)}  {it.memory.memory_id}"
        text = f"{it.memory.text}{not_now(it.memory)}"
    else:
        hit = it.message
        who = hit.author_name or hit.message.author.removeprefix("handlers/")
        head, text = f"message  {who}  {hit.message.conversation_id}", hit.excerpt
    say(in_a_line(head))
    typer.echo(f"    {in_a_line(text)}")
    typer.secho(f"    {in_a_line(it.reason)}, {it.tokens} tokens", dim=True)


def _tell(found: "RecallResponse") -> None:
    if not found.recalled and not found.left_out:
        aside("Nothing is remembered of that, nor said.")
    if alone := _ALONE.get(found.external_memory):
        aside(f"The external memory {alone}: the server's own has answered alone.")
    if found.left_out:
        what = (
            f"{found.left_out} more" if found.recalled else f"All that was found ({found.left_out})"
        )
        aside(f"{what} had no room: --tokens allows more.")
    if found.pending_conversations:
        waiting = counted(found.pending_conversations, "conversation")
        aside(f"Still to be read: {waiting}. Ask again in some seconds.")
