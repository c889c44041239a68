"""``antiphon filters add``, ``enable`` and ``disable``."""

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import run
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.rules.options import Asked, Comment, Name, Where

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        str,
        typer.Option(
            "--action",
            metavar="ACTION",
            help="flag, sanitise, hold or block. Answers are masked whatever it is.",
        ),
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
    from antiphon_server.cli.filters.making import made
    from antiphon_server.cli.filters.rules import FILTERS
    from antiphon_server.cli.rules.changing import change, put

    told = {"--term": terms, "--part": parts, "--category": categories, "--region": regions}
    it = made(name, kind, action, {**told, "--tool": tool}, stages, timeout_s, fails_open)
    asked = Asked(workspace, json, address, data_dir)
    run(change(FILTERS, put(it, first=first), asked, comment))


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
    _switch(name, False, Asked(workspace, json, address, data_dir), comment)


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
    _switch(name, True, Asked(workspace, json, address, data_dir), comment)


def _switch(name: str, disabled: bool, asked: Asked, comment: str) -> None:
    from antiphon_server.cli.filters.rules import FILTERS
    from antiphon_server.cli.rules.changing import change, one_of, put

    def switched(them: "list[Filter]") -> "Sequence[Filter]":
        changed = FILTERS.message()
        changed.CopyFrom(one_of(FILTERS, them, name))
        changed.disabled = disabled
        return put(changed)(them)

    run(change(FILTERS, switched, asked, comment))
