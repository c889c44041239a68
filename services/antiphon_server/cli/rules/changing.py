"""One change of all rules of a parent, which is refused if somebody else has made another."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from antiphon_client import Client
from antiphon_server.cli.connect import client_for
from antiphon_server.cli.console import CommandError, aside, in_a_line, print_json, say
from antiphon_server.cli.encoding import as_dict
from antiphon_server.cli.rules.changes import changes
from antiphon_server.cli.rules.kind import Kind, M
from antiphon_server.cli.rules.options import Asked, these
from antiphon_server.cli.rules.refusals import setting
from antiphon_server.cli.workers.options import asking_for

Edit: TypeAlias = Callable[[list[M]], Sequence[M]]
"""Makes those that are to be of those that are."""


async def change(kind: Kind[M], edit: Edit[M], asked: Asked, comment: str) -> None:
    """Make a change of what stands, and print it."""
    async with client_for(asked.address, asked.data_dir) as client:
        await replace(client, kind, edit, asked, "", comment)


async def replace(
    client: Client,
    kind: Kind[M],
    edit: Edit[M],
    asked: Asked,
    source: str,
    comment: str,
    seen: int | None = None,
) -> None:
    """Replace what stands by what an edit makes of it.

    ``source`` is the file that it comes from; of options it is empty.
    """
    with asking_for(asked.workspace):
        before = await kind.get(client, asked.parent, 0)
    after = edit(list(kind.of(before)))
    with asking_for(asked.workspace), setting(kind, source, after):
        expected = before.revision if seen is None else seen
        made = await kind.put(
            client, asked.parent, after, comment=comment, expected_revision=expected
        )
    if asked.json:
        print_json(as_dict(made))
    else:
        _print(kind, before, made)
    new = [it for it in kind.of(made) if it not in kind.of(before)]
    warn(await kind.warned(client, asked.parent, new))


def warn(sentences: Sequence[str]) -> None:
    """Say on stderr what was taken, and will not work."""
    for it in sentences:
        say(in_a_line(it), mark="! ", colour="yellow", err=True, indent="  ")


def _print(kind: Kind[M], before: Any, made: Any) -> None:
    about = kind.about
    if made.revision == before.revision:
        aside(f"Nothing changes: these are the {about.many} of revision {made.revision}.")
        return
    for line in changes(kind.of(before), kind.of(made)):
        say(in_a_line(line))
    aside(f"The {about.all} {these(made.parent)} are revision {made.revision} from now on.")


def put(it: M, *, first: bool = False) -> Edit[M]:
    """In the place of the one of its name, else before or behind all others."""

    def edit(them: list[M]) -> Sequence[M]:
        if any(_name(each) == _name(it) for each in them):
            return [it if _name(each) == _name(it) else each for each in them]
        return [it, *them] if first else [*them, it]

    return edit


def without(kind: Kind[M], name: str) -> Edit[M]:
    """All but the one of that name."""

    def edit(them: list[M]) -> Sequence[M]:
        them.remove(one_of(kind, them, name))
        return them

    return edit


def one_of(kind: Kind[M], them: Sequence[M], name: str) -> M:
    """The one of this name. Raises CommandError."""
    for it in them:
        if _name(it) == name:
            return it
    there = ", ".join(map(_name, them)) or "none"
    raise CommandError(
        f"there is no {kind.about.one} {name} there, only {there}; "
        "`--workspace ws_…` names a workspace's"
    )


def _name(it: Any) -> str:
    return str(it.name)
