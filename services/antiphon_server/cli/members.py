"""``antiphon members``."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.accounts import user_id_of
from antiphon_server.cli.console import CommandError, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json

if TYPE_CHECKING:
    from antiphon.context.v1.conversation_pb2 import Member
    from antiphon_client import Client

_ABOUT = """Show and change who may do what in a conversation or workspace.

A role is given on a conversation (conv_…) or on a workspace (ws_…):

- `viewer` reads
- `member` also posts, and cancels answers
- `guest` is a member of this conversation who gets no list of its members
- `admin` also changes settings and members
- `owner` also makes and unmakes owners; there is always one

Of a workspace's roles, `admin` and `owner` count in all its conversations.

For example:

- `antiphon members add conv_… anna --role guest`
- `antiphon members list conv_…`
- `antiphon members set conv_… anna --role admin`
- `antiphon members remove conv_… anna`
"""

app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")
_TIME = "%Y-%m-%d %H:%M"
_HEADINGS = ("user", "role", "since", "name")
Resource = Annotated[
    str, typer.Argument(metavar="WHERE", help="A conversation (conv_…) or a workspace (ws_…).")
]
Name = Annotated[
    str,
    typer.Argument(metavar="WHO", help="A user_id (`antiphon whoami`); for operators a name, too."),
]
RoleName = Annotated[
    str,
    typer.Option("--role", "-r", metavar="ROLE", help="viewer, member, guest, admin or owner."),
]


@app.command("list")
def list_(
    resource: Resource, json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """List who has a role there.

    For example:

    - `antiphon members list conv_…`
    - `antiphon members list conv_… --json | jq -r .user_id`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            members = [member async for member in client.list_members(resource)]
            await _show(client, members, json)

    run(work())


@app.command()
def add(
    resource: Resource,
    name: Name,
    role: RoleName = "member",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Give somebody a role, by default `member`.

    For example:

    - `antiphon members add conv_… anna`
    - `antiphon members add conv_… anna --role guest` (to this conversation and nothing else)
    """

    async def work() -> None:
        from antiphon_client import AntiphonError
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            user_id = await user_id_of(client, name)
            try:
                made = await client.add_member(resource, user_id, _known(role))
            except AntiphonError as error:
                if error.reason != "ALREADY_EXISTS":
                    raise
                raise CommandError(
                    f"{name} has a role there already; `antiphon members set` gives another one"
                ) from None
            await _show(client, [made], json)

    run(work())


@app.command("set")
def set_(
    resource: Resource,
    name: Name,
    role: RoleName,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Give a member another role.

    For example:

    - `antiphon members set conv_… anna --role admin`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            user_id = await user_id_of(client, name)
            changed = await client.update_member(resource, user_id, _known(role))
            await _show(client, [changed], json)

    run(work())


@app.command()
def remove(resource: Resource, name: Name, address: Address = "", data_dir: DataDir = None) -> None:
    """Take somebody's role away: their open streams there end, at once.

    For example:

    - `antiphon members remove conv_… anna`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            await client.remove_member(resource, await user_id_of(client, name))
        say(f"{name} has no role there any more.")

    run(work())


def _known(role: str) -> str:
    from antiphon_client.members import role_named

    try:
        role_named(role)
    except ValueError as error:
        raise CommandError(str(error)) from None
    return role


async def _show(client: "Client", members: "Iterable[Member]", json: bool) -> None:
    from antiphon_client.members import role_name
    from antiphon_server.cli.encoding import as_dict, local_time
    from antiphon_server.cli.table import print_table

    if json:
        for member in members:
            print_json(as_dict(member))
        return
    rows = [
        (
            member.user_id,
            role_name(member.role),
            local_time(member.create_time, _TIME),
            member.display_name,
        )
        for member in members
    ]
    print_table(_HEADINGS, rows)
