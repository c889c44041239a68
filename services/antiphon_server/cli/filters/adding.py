"""``antiphon filters add``, ``remove``, ``enable`` and ``disable``."""

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import run
from antiphon_server.cli.filters.options import Name
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.routes.options import Comment, Where

if TYPE_CHECKING:
    from antiphon.context.v1.filter_pb2 import Filter


def add(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="What verdicts call it: small letters, digits, -.")
    ],
    kind: Annotated[
        str,
        typer.Option(
            "--kind",
            metavar="KIND",
            help="secrets, personal-data, terms, payload, repetition, injection, remote; "
            "taken from --term, --category or --tool where they are given.",
        ),
    ] = "",
    action: Annotated[
        str, typer.Option("--action", metavar="ACTION", help="flag, sanitise, hold or block.")
    ] = "block",
    terms: Annotated[
        list[str] | None,
        typer.Option("--term", metavar="TEXT", help="A word or phrase to find; repeatable."),
    ] = None,
    parts: Annotated[
        list[str] | None,
        typer.Option(
            "--part", metavar="TEXT", help="One to find also within other words; repeatable."
        ),
    ] = None,
    categories: Annotated[
        list[str] | None,
        typer.Option(
            "--category",
            metavar="CATEGORY",
            help="personal-data: look for this alone (`card`); repeatable.",
        ),
    ] = None,
    regions: Annotated[
        list[str] | None,
        typer.Option(
            "--region",
            metavar="COUNTRY",
            help="personal-data: find phones as they are dialled there (`DE`); repeatable.",
        ),
    ] = None,
    tool: Annotated[
        str,
        typer.Option(
            "--tool",
            metavar="TOOL",
            help="remote: what is asked, `moderation.RemoteFilterService.Screen`.",
        ),
    ] = "",
    stages: Annotated[
        list[str] | None,
        typer.Option(
            "--in",
            metavar="WHERE",
            help="message, tool_result or answer; repeatable. Unsaid: the first two.",
        ),
    ] = None,
    timeout_s: Annotated[
        float,
        typer.Option(
            "--timeout", min=0.0, metavar="SECONDS", help="How long it may take; 2 if unsaid."
        ),
    ] = 0.0,
    fails_open: Annotated[
        bool, typer.Option("--open", help="What it can't look at passes; else it is refused.")
    ] = False,
    first: Annotated[bool, typer.Option("--first", help="Before all others, else last.")] = False,
    comment: Comment = "",
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Add one filter, behind those that there are. One of that name is replaced where it stands.

    For example:

    - `antiphon filters add keys --kind secrets --action sanitise`
    - `antiphon filters add manners --term "blockhead" --term "old fool" --workspace ws_…`
    - `antiphon filters add phones --category phone --region DE --region AT --action flag`
    - `antiphon filters add moderation --tool moderation.RemoteFilterService.Screen --open`
    """
    from antiphon_server.cli.filters.making import made, put

    told = {"--term": terms, "--part": parts, "--category": categories, "--region": regions}
    it = made(name, kind, action, {**told, "--tool": tool}, stages, timeout_s, fails_open)

    async def work() -> None:
        from antiphon_server.cli.filters.changing import change

        edit = put(it, first=first)
        await change(edit, workspace, comment, json, address, data_dir)

    run(work())


def remove(
    name: Name,
    comment: Comment = "",
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Remove one filter; `antiphon filters restore` brings it back.

    For example:

    - `antiphon filters remove manners --workspace ws_…`
    """

    async def work() -> None:
        from antiphon_server.cli.filters.changing import change, one_of

        def without(them: "list[Filter]") -> "list[Filter]":
            them.remove(one_of(them, name))
            return them

        await change(without, workspace, comment, json, address, data_dir)

    run(work())


def enable(
    name: Name,
    comment: Comment = "",
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Have a filter look again.

    For example:

    - `antiphon filters enable keys`
    """
    _switch(name, False, comment, workspace, json, address, data_dir)


def disable(
    name: Name,
    comment: Comment = "",
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Have a filter look at nothing for now; it stays in its place.

    For example:

    - `antiphon filters disable keys --comment "until it knows the new tokens"`
    """
    _switch(name, True, comment, workspace, json, address, data_dir)


def _switch(
    name: str,
    disabled: bool,
    comment: str,
    workspace: str,
    json: bool,
    address: str,
    data_dir: DataDir,
) -> None:
    async def work() -> None:
        from antiphon_server.cli.filters.changing import change, one_of

        def switched(them: "list[Filter]") -> "list[Filter]":
            index = them.index(one_of(them, name))
            changed = type(them[index])()
            changed.CopyFrom(them[index])
            changed.disabled = disabled
            return [*them[:index], changed, *them[index + 1 :]]

        await change(switched, workspace, comment, json, address, data_dir)

    run(work())
