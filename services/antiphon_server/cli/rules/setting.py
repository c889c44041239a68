"""The commands that replace rules: ``set``, ``restore`` and ``remove``."""

from typing import Annotated

import typer

from antiphon_server.cli.console import run
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.rules.about import About
from antiphon_server.cli.rules.options import Asked, Comment, Name, Where
from antiphon_server.cli.workers.options import asking_for


def add_set(app: typer.Typer, about: About) -> None:
    """The command that replaces all by those of a file."""

    def set_rules(
        file: Annotated[str, about.file],
        comment: Comment = "",
        if_revision: Annotated[
            int | None,
            typer.Option(
                "--if-revision", min=0, metavar="N", help="Only if that is still the newest one."
            ),
        ] = None,
        workspace: Where = "",
        json: Json = False,
        address: Address = "",
        data_dir: DataDir = None,
    ) -> None:
        asked = Asked(workspace, json, address, data_dir)
        run(_set(about, file, asked, comment, if_revision))

    app.command("set", help=_set_help(about))(set_rules)


def _set_help(about: About) -> str:
    signs = f"`+` is a {about.one} that is added, `-` one that is removed, `~` one that is changed."
    return about.examples(
        f"Replace all {about.many} by those of a file, and print what that changes.\n\n"
        + " ".join(filter(None, (about.holds, signs, about.behind))),
        f'set {about.all}.toml --comment "{about.why}"',
        f"set {about.all}.toml --workspace ws_… --if-revision 3",
    )


def add_restore(app: typer.Typer, about: About) -> None:
    """The command that sets what stood before."""
    which = f"Which, as `antiphon {about.command} history` says."

    def restore(
        revision: Annotated[int, typer.Argument(min=1, metavar="N", help=which)],
        comment: Comment = "",
        workspace: Where = "",
        json: Json = False,
        address: Address = "",
        data_dir: DataDir = None,
    ) -> None:
        asked = Asked(workspace, json, address, data_dir)
        run(_restore(about, revision, asked, comment))

    said = f"Set the {about.many} again that there were before, as a new revision."
    commented = f'restore 3 --workspace ws_… --comment "{about.why_not}"'
    app.command(help=about.examples(said, "restore 3", commented))(restore)


def add_remove(app: typer.Typer, about: About, said: str, example: str) -> None:
    """The command that takes one away; ``said`` is what help says of that."""

    def remove(
        name: Name,
        comment: Comment = "",
        workspace: Where = "",
        json: Json = False,
        address: Address = "",
        data_dir: DataDir = None,
    ) -> None:
        run(_remove(about, name, Asked(workspace, json, address, data_dir), comment))

    app.command(help=about.examples(said, f"remove {example}"))(remove)


async def _set(about: About, file: str, asked: Asked, comment: str, seen: int | None) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.rules.changing import replace
    from antiphon_server.cli.rules.file import read_rules

    kind = about.load()
    them = read_rules(kind, file)
    async with client_for(asked.address, asked.data_dir) as client:
        await replace(client, kind, lambda _: them, asked, file, comment, seen)


async def _restore(about: About, revision: int, asked: Asked, comment: str) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.rules.changing import replace

    kind = about.load()
    async with client_for(asked.address, asked.data_dir) as client:
        with asking_for(asked.workspace):
            found = list(kind.of(await kind.get(client, asked.parent, revision)))
        source, said = f"revision {revision}", comment or f"as revision {revision}"
        await replace(client, kind, lambda _: found, asked, source, said)


async def _remove(about: About, name: str, asked: Asked, comment: str) -> None:
    from antiphon_server.cli.rules.changing import change, without

    kind = about.load()
    await change(kind, without(kind, name), asked, comment)
