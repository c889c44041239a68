"""``antiphon memory add``, ``correct`` and ``forget``."""

from typing import Annotated

import typer

from antiphon_server.cli.console import aside, in_a_line, print_json, run, say
from antiphon_server.cli.memory.options import (
    KindName,
    Where,
    Which,
    found,
    kind_of,
)
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.written import (
    coming,
    id_of,
    ids_of,
    refuse,
    scope_of,
    span_of,
    text_of,
    user_of,
)


def add(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A sentence that stands by itself.")],
    kind: Annotated[KindName, typer.Option("--kind", "-k", help="What sort.")] = KindName.FACT,
    about: Annotated[
        str, typer.Option("--about", metavar="USER", help="Whom it is about: me, or user_…")
    ] = "",
    entity: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="NAME", help="A name that it is found by; repeatable."),
    ] = None,
    since: Annotated[
        str, typer.Option("--since", metavar="DATE", help="Since when it holds, as 2026-11-01.")
    ] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="DATE", help="When it ceases to hold.")
    ] = "",
    expires: Annotated[
        str, typer.Option("--expires", metavar="DATE", help="When it is forgotten by itself.")
    ] = "",
    importance: Annotated[
        float, typer.Option("--importance", min=0, max=1, help="How much it matters.")
    ] = 0.5,
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--from", metavar="conv_…/msg_…", help="The message it comes from; repeatable."
        ),
    ] = None,
    instead_of: Annotated[
        str, typer.Option("--instead-of", metavar="mem_…", help="The one whose place it takes.")
    ] = "",
    scope: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Remember something. Said again in the same words, it is not remembered twice.

    For example:

    - `antiphon memory add "Anna lives in Lyon" --since 2026-03-01 --name Anna --name Lyon`
    - `antiphon memory add "Answers are to be brief" --kind preference`
    - `antiphon memory add "Anna lives in Nice" --instead-of mem_…` (that one is kept, as it was)
    - `antiphon memory add "The launch is in May" --scope conv_… --from conv_…/msg_…`
    """

    async def work() -> None:
        from antiphon.memory.v1.memory_pb2 import MemorySource
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict

        text_of(text, "TEXT", '"Anna lives in Lyon"')
        places = list(map(_place, source or ()))
        begins, ends = span_of(since, until)
        goes = coming(expires, "--expires")
        id_of(instead_of, "mem", "--instead-of")
        async with client_for(address, data_dir) as client:
            made = await client.put_memory(
                text,
                await scope_of(client, scope),
                kind=kind_of(kind),
                subject=await user_of(client, about, "--about"),
                entities=entity or (),
                valid_from=begins,
                valid_until=ends,
                expire_time=goes,
                importance=importance,
                sources=[MemorySource(conversation_id=a, message_id=b) for a, b in places],
                supersedes=instead_of,
            )
        if json:
            print_json(as_dict(made))
        else:
            say(f"remembered as {made.memory_id}")

    run(work())


def _place(written: str) -> tuple[str, str]:
    """A conversation and a message of it."""
    conversation, slash, message = written.partition("/")
    if not slash or not message:
        refuse("--from", "write a source as conv_…/msg_…: `antiphon search --json` has both")
    return id_of(conversation, "conv", "--from"), message


def correct(
    memory: Which,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What it should say.")],
    scope: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Correct what a memory says. What it said before is kept: `show` has it.

    What was so and is so no more is better said by `add … --instead-of mem_…`; what nobody should
    know is better forgotten.

    For example:

    - `antiphon memory correct mem_… "Anna lives in Lyon, France"`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict

        text_of(text, "TEXT", '"Anna lives in Lyon, France"')
        async with client_for(address, data_dir) as client:
            known = await found(client, memory, scope)
            before, known.text = known.version, text
            made = await client.update_memory(known, "text", only_if_unchanged=True)
        if json:
            print_json(as_dict(made))
        else:
            done = "says so already" if made.version == before else "is corrected"
            aside(f"{made.memory_id} {done}.")

    run(work())


def forget(
    memories: Annotated[
        list[str], typer.Argument(metavar="MEMORY…", help="Which: mem_…, as `list` says.")
    ],
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Forget memories: what they say, what they were, and where they come from. It is for good.

    The messages that they come from stay where they are.

    For example:

    - `antiphon memory forget mem_…`
    - `antiphon memory list --json | jq -r .memory_id | xargs antiphon memory forget` (all)
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        ids_of(memories, "mem", "MEMORY")
        async with client_for(address, data_dir) as client:
            for it in memories:
                await client.forget_memory(it)
                aside(f"{in_a_line(it)} is forgotten.")

    run(work())
