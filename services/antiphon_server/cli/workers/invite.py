"""``antiphon workers invite``."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import aside, fail, in_a_line, print_json, run, say
from antiphon_server.cli.options import KEY_VARIABLE, Address, DataDir, Json
from antiphon_server.cli.workers.options import Handler, Where, parent_of, there

if TYPE_CHECKING:
    from antiphon.auth.v1.auth_pb2 import User
    from antiphon_client import Client

ADDRESS_VARIABLE = "ANTIPHON_ADDRESS"
_HANDLER = re.compile("[a-z][a-z0-9-]{0,63}")


def invite(
    handler: Handler,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="The program's account; by default HANDLER-worker.")
    ] = "",
    workspace: Where = "",
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Make a key, though the program has one.")
    ] = False,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Make an account and a key for a worker, allow it to serve a handler, print what to set.

    For operators. The key is of the scope `work` alone, and shown this once. For another handler
    of the same NAME the program goes on with the key that it has.

    For example:

    - `antiphon workers invite reviewer > reviewer.env`
    - `env $(cat reviewer.env) python reviewer.py`
    - `antiphon workers invite linter --name reviewer-worker` (the same program serves both)
    - `antiphon workers invite search --workspace ws_…` (one workspace's)
    """
    run(_invite(handler, name or f"{handler}-worker", workspace, new_key, json, address, data_dir))


async def _invite(
    handler: str,
    name: str,
    workspace: str,
    new_key: bool,
    json: bool,
    address: str,
    data_dir: DataDir,
) -> None:
    from antiphon.auth.v1.access_pb2 import SCOPE_WORK
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.explain import NO_HANDLER
    from antiphon_server.cli.paths import data_dir_or_default
    from antiphon_server.cli.where import server_for

    if not _HANDLER.fullmatch(handler):
        fail(NO_HANDLER, 2)  # before there is an account for it
    at = server_for(address, data_dir_or_default(data_dir))
    async with client_for(at, data_dir) as client:
        if handler in {it.name async for it in client.list_handlers() if it.built_in}:
            fail(f"{handler} is built in: choose another name for what the worker does", 2)
        user = await _program(client, name)
        await client.allow_worker(parent_of(workspace), handler, user.user_id)
        aside(in_a_line(f"Workers of {user.name} may serve {handler} {there(workspace)}."))
        if not new_key and await _has_key(client, user.user_id):
            aside("It has a key already, so none is printed; --new-key makes another one.")
            return
        made = await client.new_api_key(
            f"worker {handler}", scopes=[SCOPE_WORK], user_id=user.user_id
        )
    aside(f"{made.api_key.key_id}: keep what is below, the key is shown this once.")
    _print({ADDRESS_VARIABLE: at, KEY_VARIABLE: made.secret}, json)


async def _program(client: "Client", name: str) -> "User":
    """The program of that name, which is made if there is none."""
    from antiphon.auth.v1.auth_pb2 import USER_KIND_PROGRAM
    from antiphon_client import NotFound

    try:
        user = await client.get_user(name)
    except NotFound:
        return await client.create_user(name, program=True)
    if user.kind != USER_KIND_PROGRAM:
        fail(in_a_line(f"{name} is a person: choose another --name for the program"), 2)
    if user.disabled:
        fail(in_a_line(f"{name} is disabled: `antiphon users enable {name}` lets it in again"))
    return user


async def _has_key(client: "Client", user_id: str) -> bool:
    """Whether it has a key that opens the workers' stream, and has not expired."""
    from time import time

    from antiphon.auth.v1.access_pb2 import SCOPE_WORK

    keys = [it async for it in client.list_api_keys(user_id)]
    live = [it for it in keys if not it.expire_time.seconds or it.expire_time.seconds > time()]
    return any(not it.scopes or SCOPE_WORK in it.scopes for it in live)


def _print(variables: dict[str, str], json: bool) -> None:
    if json:
        print_json(variables)
        return
    for name, value in variables.items():
        say(f"{name}={value}")
