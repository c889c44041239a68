"""The commands that show rules: ``show`` and ``history``."""

from typing import Annotated

import typer

from antiphon_server.cli.accounts import Names
from antiphon_server.cli.console import aside, fail, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.rules.about import About
from antiphon_server.cli.rules.options import Asked, Where, these
from antiphon_server.cli.workers.options import asking_for

_HISTORY = ("revision", "when", "by", "comment")


def add_show(app: typer.Typer, about: About) -> None:
    """The command that shows what stands, or stood."""

    def show(
        revision: Annotated[
            int,
            typer.Option("--revision", min=0, metavar="N", help="As they were; 0: as they are."),
        ] = 0,
        toml: Annotated[bool, typer.Option("--toml", help="As a file that `set` takes.")] = False,
        workspace: Where = "",
        json: Json = False,
        address: Address = "",
        data_dir: DataDir = None,
    ) -> None:
        if toml and json:
            fail("--toml and --json name two forms; leave one out", 2)
        run(_show(about, revision, toml, Asked(workspace, json, address, data_dir)))

    as_file = f"show --toml > {about.all}.toml"
    examples = ("show", as_file, "show --workspace ws_… --revision 3")
    app.command(help=about.examples(about.shown, *examples))(show)


def add_history(app: typer.Typer, about: About) -> None:
    """The command that lists what stood."""

    def history(
        workspace: Where = "", json: Json = False, address: Address = "", data_dir: DataDir = None
    ) -> None:
        run(_history(about, Asked(workspace, json, address, data_dir)))

    said = (
        f"List what the {about.all} were: when they were set, by whom, and why; the newest first."
        "\n\nThe newest 100 are kept: `show --revision N` shows one, `restore N` sets it again."
    )
    examples = about.examples(said, "history", "history --workspace ws_… --json")
    app.command(help=examples)(history)


async def _show(about: About, revision: int, toml: bool, asked: Asked) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.rules.changing import warn
    from antiphon_server.cli.rules.file import written
    from antiphon_server.cli.table import print_table

    kind = about.load()
    async with client_for(asked.address, asked.data_dir) as client:
        with asking_for(asked.workspace):
            found = await kind.get(client, asked.parent, revision)
        marks = [] if toml else await kind.marked(client, asked.parent, kind.of(found))
    said = f"{about.all.capitalize()} {these(asked.parent)}, revision {found.revision}."
    if asked.json:
        print_json(as_dict(found))
    elif toml:
        say(written(kind, f"# {said}", kind.of(found)).removesuffix("\n"))
    elif them := kind.of(found):
        print_table(kind.headings, map(kind.row_of, kind.order(them)), whole=True)
        aside(said)
    else:
        _say_none(about, asked.parent, found.revision)
    warn(marks)


async def _history(about: About, asked: Asked) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict, local_time
    from antiphon_server.cli.table import print_table

    rows, kind = [], about.load()
    async with client_for(asked.address, asked.data_dir) as client:
        names = Names(client)
        with asking_for(asked.workspace):
            found = [it async for it in kind.revisions(client, asked.parent)]
        for it in found:
            if asked.json:
                print_json(as_dict(it))
                continue
            who = it.creator.removeprefix("users/")
            by, when = await names.of(who) or who, local_time(it.create_time, "%Y-%m-%d %H:%M")
            rows.append((str(it.revision), when, by, it.comment))
    if rows:
        print_table(_HISTORY, rows, whole=True)
    elif not asked.json:
        _say_none(about, asked.parent)


def _say_none(about: About, parent: str, revision: int = 0) -> None:
    whose = these(parent)
    if revision:
        say(f"There are no {about.many} {whose} since revision {revision}.", err=True)
    else:
        say(f"None were set {whose}. `antiphon {about.command} {about.none}.", err=True)
