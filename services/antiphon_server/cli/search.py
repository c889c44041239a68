"""``antiphon search``."""

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import aside, in_a_line, print_json, say
from antiphon_server.cli.counts import counted
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.own_server import run_at
from antiphon_server.cli.written import DAY, authors_of, id_of, ids_of, span_of, text_of

if TYPE_CHECKING:
    from antiphon.memory.v1.search_service_pb2 import MessageHit, SearchMessagesResponse


def search(
    query: Annotated[
        list[str], typer.Argument(metavar="WORDS…", help="What to look for, as you would ask.")
    ],
    conversation: Annotated[
        list[str] | None,
        typer.Option("--conversation", "-c", metavar="ID", help="There alone; may be repeated."),
    ] = None,
    workspace: Annotated[
        str, typer.Option("--workspace", "-w", metavar="ID", help="In this workspace alone.")
    ] = "",
    author: Annotated[
        list[str] | None,
        typer.Option(
            "--by", metavar="WHO", help="What me, user_… or handlers/… said; may be repeated."
        ),
    ] = None,
    since: Annotated[
        str, typer.Option("--since", metavar="DATE", help="From that day on, as 2026-11-01.")
    ] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="DATE", help="Up to that day, it included.")
    ] = "",
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=100, help="How many at most.")
    ] = 10,
    why: Annotated[
        bool, typer.Option("--why", help="Say what each score is made of, too.")
    ] = False,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Find what was said in all conversations that you may read, the best first.

    Words are found in all their forms (English, German, French, Spanish), with and without accents;
    a name of somebody who speaks counts as one.

    For example:

    - `antiphon search "when did Anna move to Lyon"`
    - `antiphon search invoice --since 2026-11-01 --by handlers/assistant`
    - `antiphon search budget -c conv_… --why`
    - `antiphon chat --conversation conv_…` (goes on where it was said)
    """
    words = text_of(" ".join(query), "WORDS", '"when did Anna move"')
    begin, end = span_of(since, until, DAY)
    asked: dict[str, object] = {
        "conversation_ids": ids_of(conversation, "conv", "--conversation"),
        "workspace_id": id_of(workspace, "ws", "--workspace"),
        "not_before": begin,
        "before": end,
        "page_size": limit,
    }
    run_at(address, data_dir, lambda at: _search(words, author, asked, why, json, at, data_dir))


async def _search(
    query: str,
    author: list[str] | None,
    asked: dict[str, object],
    why: bool,
    json: bool,
    address: str,
    data_dir: DataDir,
) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict

    async with client_for(address, data_dir) as client:
        authors = await authors_of(client, author, "--by")
        found = await client.search_messages(query, authors=authors, **asked)  # type: ignore[arg-type]
    if json:
        for hit in found.hits:
            print_json(as_dict(hit))
    else:
        for hit in found.hits:
            _show(hit, why)
    _tell(found)


def _show(hit: "MessageHit", why: bool) -> None:
    from antiphon_server.cli.encoding import local_time

    message = hit.message
    who = hit.author_name or message.author.removeprefix("handlers/")
    head = (who, local_time(message.create_time), hit.conversation_title or "untitled")
    say(f"{'  '.join(map(in_a_line, head))}  {in_a_line(message.conversation_id)}")
    typer.echo(f"    {_marked(hit)}")
    if why:
        parts = sorted(hit.parts.items(), key=lambda it: -abs(it[1]))
        typer.secho("    " + ", ".join(f"{name} {score:.2f}" for name, score in parts), dim=True)
    say("")


def _marked(hit: "MessageHit") -> str:
    """The excerpt in a line, what was looked for in bold; nothing of it commands the terminal."""
    pieces, at = list[str](), 0
    for place in hit.highlights:
        pieces += in_a_line(hit.excerpt[at : place.start]), ""
        pieces[-1] = typer.style(in_a_line(hit.excerpt[place.start : place.end]), bold=True)
        at = place.end
    return "".join((*pieces, in_a_line(hit.excerpt[at:])))


def _tell(found: "SearchMessagesResponse") -> None:
    if not found.hits:
        aside("Nothing was found.")
    if found.pending_conversations:
        waiting = counted(found.pending_conversations, "conversation")
        aside(f"Still to be read: {waiting}. Search again in some seconds.")
    if found.omitted_conversations:
        aside("You may read more than one search looks at: --workspace limits it.")
