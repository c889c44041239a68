"""``antiphon users``."""

import os
import re
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import CommandError, print_json, run, say
from antiphon_server.cli.identities import identities, link, unlink
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.typed_secrets import NEW_PASSWORD, new_password

if TYPE_CHECKING:
    from antiphon.auth.v1.auth_pb2 import User

Name = Annotated[str, typer.Argument(help="The user's name, or user_id.")]
_ABOUT = """Make and change accounts; for operators.

For example:

- `antiphon users create anna`
- `antiphon users list`
- `antiphon users disable anna`
"""

app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")
_NAME = re.compile("[0-9A-Za-z._@-]{1,64}")
_TIME = "%Y-%m-%d"
_HEADINGS = ("user", "name", "is", "made", "called")
for command in (link, unlink, identities):
    app.command()(command)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Letters, digits and . _ @ -")],
    display_name: Annotated[str, typer.Option(help="What others see. Default: the name.")] = "",
    operator: Annotated[bool, typer.Option("--operator", help="May administer.")] = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Set none; see `users reset-password`.")
    ] = False,
    program: Annotated[bool, typer.Option("--program", help="For a program: no password.")] = False,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Make an account. Its password is asked for, or taken from ANTIPHON_NEW_PASSWORD.

    For example:

    - `antiphon users create anna`
    - `antiphon users create anna --no-password && antiphon users reset-password anna`
    - `antiphon users create worker-1 --program`
    """
    password = ""
    if not (no_password or program):
        if NEW_PASSWORD not in os.environ:
            run(_free(name, address, data_dir))
        password = new_password()

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            user = await client.create_user(
                name, password, display_name=display_name, operator=operator, program=program
            )
        _show(user, json)

    run(work())


@app.command("list")
def list_(
    prefix: Annotated[str, typer.Argument(help="Only names that begin so.")] = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """List accounts by name.

    For example:

    - `antiphon users list`
    - `antiphon users list an --json | jq -r .user_id`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            found = [user async for user in client.list_users(prefix)]
        _show_all(found, json)

    run(work())


@app.command()
def show(name: Name, json: Json = False, address: Address = "", data_dir: DataDir = None) -> None:
    """Show one account.

    For example:

    - `antiphon users show anna`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            _show(await client.get_user(name), json)

    run(work())


@app.command()
def disable(
    name: Name, json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """Shut an account: its sessions and streams end now, and nobody signs in to it.

    For example:

    - `antiphon users disable anna`
    """
    run(_update(name, json, address, data_dir, disabled=True))


@app.command()
def enable(name: Name, json: Json = False, address: Address = "", data_dir: DataDir = None) -> None:
    """Open an account again.

    For example:

    - `antiphon users enable anna`
    """
    run(_update(name, json, address, data_dir, disabled=False))


@app.command()
def operator(
    name: Name,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take the rights away.")] = False,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Let somebody administer this installation, or no longer.

    Who loses the rights is signed out. The last operator keeps them.

    For example:

    - `antiphon users operator anna`
    - `antiphon users operator anna --revoke`
    """
    run(_update(name, json, address, data_dir, operator=not revoke))


@app.command("reset-password")
def reset_password(
    name: Name,
    keys: Annotated[
        bool, typer.Option("--keys", help="Its use revokes the person's API keys, too.")
    ] = False,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Make a token with which somebody sets a new password, once, within an hour.

    Hand it over in private: who has it has the account. An earlier one stops working.

    For example:

    - `antiphon users reset-password anna`
    - `antiphon users reset-password anna --keys` (somebody else had the account in hand)
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict, local_time

        async with client_for(address, data_dir) as client:
            user = await client.get_user(name)
            made = await client.create_password_reset(user.user_id, api_keys=keys)
        if json:
            print_json(as_dict(made))
            return
        say(made.reset_token)
        say(
            f"It works once, until {local_time(made.expire_time)}: `antiphon password reset`.",
            err=True,
        )

    run(work())


async def _free(name: str, address: str, data_dir: DataDir) -> None:
    """Whether an account can have that name, before a password is asked for."""
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.explain import NO_NAME

    if not _NAME.fullmatch(name):
        raise CommandError(NO_NAME)
    async with client_for(address, data_dir) as client:
        async for user in client.list_users(name.lower()):
            if user.name == name.lower():
                raise CommandError(f"there is a user {user.name} already")
            return  # they come by name


async def _update(
    name: str,
    json: bool,
    address: str,
    data_dir: DataDir,
    operator: bool | None = None,
    disabled: bool | None = None,
) -> None:
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        user = await client.get_user(name)
        changed = await client.update_user(user.user_id, operator=operator, disabled=disabled)
    _show(changed, json)


def _show(user: "User", json: bool) -> None:
    _show_all([user], json)


def what_is(user: "User") -> str:
    """What an account is, in few words."""
    from antiphon.auth.v1.auth_pb2 import USER_KIND_PROGRAM

    marks = {
        "operator": user.operator,
        "program": user.kind == USER_KIND_PROGRAM,
        "disabled": user.disabled,
    }
    return ", ".join(mark for mark, holds in marks.items() if holds) or "person"


def _show_all(users: "list[User]", json: bool) -> None:
    from antiphon_server.cli.encoding import as_dict, local_time
    from antiphon_server.cli.table import print_table

    if json:
        for user in users:
            print_json(as_dict(user))
        return
    rows = []
    for user in users:
        made = local_time(user.create_time, _TIME)
        called = "" if user.display_name == user.name else user.display_name
        rows.append((user.user_id, user.name, what_is(user), made, called))
    print_table(_HEADINGS, rows)
