"""``antiphon memory entities``: what is called how."""

from collections.abc import AsyncIterator, Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import CommandError, aside, in_a_line, print_json, run, say
from antiphon_server.cli.memory.options import Where
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.written import id_of, ids_of, scope_of, text_of

if TYPE_CHECKING:
    from antiphon.memory.v1.entity_pb2 import Entity, EntityType, Mention

_ABOUT = """What is called how: people, places, organisations and other things, with their names.

They are made of the names that memories have, of what people say of themselves where that is
gathered, and by you. A search that names one by one of its names finds what is said by the others.

For example:

- `antiphon memory entities list`
- `antiphon memory entities add "Anna Weber" --type person --alias Anni`
- `antiphon memory entities merge ent_… ent_…` (they are the same)
"""
app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")
Which = Annotated[str, typer.Argument(metavar="ENTITY", help="Which: ent_…, as `list` says.")]
Alias = Annotated[
    list[str] | None, typer.Option("--alias", metavar="NAME", help="Another name; repeatable.")
]
_NONE = "Nothing has a name here: `antiphon memory entities add NAME` gives one."
_HEADINGS = ("entity", "type", "name", "also", "mentions")


class TypeName(StrEnum):
    """What sort of thing it is."""

    PERSON = "person"
    ORGANISATION = "organisation"
    PLACE = "place"
    PRODUCT = "product"
    EVENT = "event"
    OTHER = "other"


Types = Annotated[
    list[TypeName] | None, typer.Option("--type", "-t", help="Only these; repeatable.")
]


@app.command("list")
def list_entities(
    types: Types = None,
    scope: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """List what has a name, those first that were found last.

    For example:

    - `antiphon memory entities list --type person`
    - `antiphon memory entities list --scope ws_… --json`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            where = await scope_of(client, scope)
            listed = client.list_entities(where, types=[*map(_type_of, types or ())])
            found = [it async for it in listed]
        _print(found, json=json, none="Nothing here is of that type." if types else _NONE)

    run(work())


@app.command()
def search(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A part of a name.")],
    types: Types = None,
    scope: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Find one by a part of one of its names.

    For example:

    - `antiphon memory entities search anni`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            where = await scope_of(client, scope)
            wanted = [*map(_type_of, types or ())]
            found = await client.search_entities(name, where, types=wanted)
        none = f"Nothing here is called like {in_a_line(name)}."
        _print(found, json=json, none=none)

    run(work())


@app.command()
def show(
    entity: Which,
    scope: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Show one: its names, what was merged into it, and where it is mentioned.

    For example:

    - `antiphon memory entities show ent_…`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict

        async with client_for(address, data_dir) as client:
            where = await scope_of(client, scope)
            id_of(entity, "ent", "ENTITY")
            found = await client.get_entity(entity, where)
            mentions = client.list_mentions(entity, where)
            if json:
                told = [as_dict(it) async for it in mentions]
                print_json({**as_dict(found), "mentions": told})
            else:
                await _tell(found, mentions)

    run(work())


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
    kind: Annotated[TypeName, typer.Option("--type", "-t", help="What sort.")] = TypeName.OTHER,
    alias: Alias = None,
    scope: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Make one, or give what is there by that name more aliases.

    For example:

    - `antiphon memory entities add "Anna Weber" --type person --alias Anni`
    - `antiphon memory entities add NYC --type place --alias "New York City" --scope ws_…`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict

        async with client_for(address, data_dir) as client:
            where = await scope_of(client, scope)
            made = await client.create_entity(
                text_of(name, "NAME", '"Anna Weber"'), _type_of(kind), where, aliases=alias or ()
            )
        if json:
            print_json(as_dict(made))
        else:
            say(f"known as {made.entity_id}")

    run(work())


@app.command()
def correct(
    entity: Which,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What it is called; before is an alias.")
    ] = "",
    kind: Annotated[TypeName | None, typer.Option("--type", "-t", help="What sort.")] = None,
    alias: Alias = None,
    without: Annotated[
        list[str] | None,
        typer.Option("--without", metavar="NAME", help="An alias that it has not; repeatable."),
    ] = None,
    scope: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Correct what one is called, or what sort of thing it is. It stays so, whatever is said.

    For example:

    - `antiphon memory entities correct ent_… --name "Anna Weber" --type person`
    - `antiphon memory entities correct ent_… --alias Anni --without Ana`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict

        async with client_for(address, data_dir) as client:
            where = await scope_of(client, scope)
            id_of(entity, "ent", "ENTITY")
            known = await client.get_entity(entity, where)
            masks = [*["name"] * bool(name), *["type"] * (kind is not None)]
            left = [it for it in known.aliases if it not in (without or ())]
            if alias or without:
                masks.append("aliases")
                left += [known.name] * bool(name and known.name not in (without or ()))
                del known.aliases[:]
                known.aliases.extend(dict.fromkeys([*left, *(alias or ())]))
            known.name = name or known.name
            known.type = _type_of(kind) if kind is not None else known.type
            if not masks:
                raise CommandError("say what to correct: --name, --type, --alias, --without")
            made = await client.update_entity(known, *masks, only_if_unchanged=True)
        if json:
            print_json(as_dict(made))
        else:
            aside(f"{made.entity_id} is corrected.")

    run(work())


@app.command()
def merge(
    entity: Which,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The one that is the same.")],
    scope: Where = "",
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Say that two are the same. `split` takes them apart again.

    For example:

    - `antiphon memory entities merge ent_… ent_…` (the name of the first stays)
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            where = await scope_of(client, scope)
            id_of(entity, "ent", "ENTITY")
            id_of(other, "ent", "OTHER")
            made = await client.merge_entities(entity, other, where)
        aside(in_a_line(f"{made.name} is also {', '.join(made.aliases)}."))

    run(work())


@app.command()
def split(
    entity: Which,
    other: Annotated[
        str, typer.Option("--merged", metavar="ent_…", help="What was merged into it.")
    ] = "",
    name: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="NAME", help="A name that another one has; repeatable."),
    ] = None,
    mention: Annotated[
        list[str] | None,
        typer.Option("--mention", metavar="mnt_…", help="What means another; repeatable."),
    ] = None,
    scope: Where = "",
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Take apart what is not the same.

    For example:

    - `antiphon memory entities split ent_… --merged ent_…` (as it was before it was merged)
    - `antiphon memory entities split ent_… --name Anni` (she is somebody else)
    - `antiphon memory entities split ent_… --mention mnt_…` (another one of that name)
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            where = await scope_of(client, scope)
            id_of(entity, "ent", "ENTITY")
            left, taken = await client.split_entity(
                entity,
                where,
                merged_entity_id=id_of(other, "ent", "--merged"),
                names=name or (),
                mention_ids=ids_of(mention, "mnt", "--mention"),
            )
        aside(in_a_line(f"{left.entity_id} is {left.name}, {taken.entity_id} is {taken.name}."))

    run(work())


@app.command()
def delete(
    entities: Annotated[
        list[str], typer.Argument(metavar="ENTITY…", help="Which: ent_…, as `list` says.")
    ],
    scope: Where = "",
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Delete entities: their names, and where they are mentioned. None is made of them again.

    For example:

    - `antiphon memory entities delete ent_…`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            where = await scope_of(client, scope)
            for it in ids_of(entities, "ent", "ENTITY"):
                await client.delete_entity(it, where)
                aside(f"{in_a_line(it)} is deleted.")

    run(work())


def _type_of(name: TypeName) -> "EntityType.ValueType":
    from antiphon.memory.v1.entity_pb2 import EntityType

    return EntityType.Value(f"ENTITY_TYPE_{name.name}")


def _type_name(it: "Entity") -> str:
    from antiphon.memory.v1.entity_pb2 import EntityType
    from antiphon_server.cli.kinds import name_of

    return name_of(EntityType, "ENTITY_TYPE_", it.type) if it.type else ""


def _print(found: "Iterable[Entity]", *, json: bool, none: str) -> None:
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.table import print_table

    listed = list(found)
    if json:
        for it in listed:
            print_json(as_dict(it))
    elif listed:
        print_table(_HEADINGS, list(map(_row, listed)))
    else:
        aside(none)


def _row(it: "Entity") -> tuple[str, ...]:
    return it.entity_id, _type_name(it), it.name, ", ".join(it.aliases), str(it.mention_count)


async def _tell(it: "Entity", mentions: "AsyncIterator[Mention]") -> None:
    from antiphon_server.cli.encoding import local_time

    told = {
        "entity": it.entity_id,
        "name": it.name,
        "type": _type_name(it),
        "also": ", ".join(it.aliases),
        "same as": it.merged_into,
        "whose": it.scope,
        "made": f"{local_time(it.create_time)} by {it.creator}" if it.creator else "",
    }
    lines = [f"{name:8} {value}" for name, value in told.items() if value]
    for one in it.merged:
        lines.append(f"{'merged':8} {one.entity_id}, {one.name}, by {one.merger}")
    for line in lines:
        say(in_a_line(line))
    async for mention in mentions:
        source = mention.source
        where = mention.memory_id or f"{source.conversation_id}/{source.message_id}"
        hidden = not (mention.memory_id or source.message_id)
        stretch = f", characters {source.start} to {source.end}" if source.end else ""
        place = "(hidden)" if hidden else where + stretch
        say(in_a_line(f"{'in':8} {place}  ({mention.name}, {mention.mention_id})"))
