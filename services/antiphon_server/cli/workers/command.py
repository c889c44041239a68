"""``antiphon workers``."""

from typing import Annotated

import typer

from antiphon_server.cli.accounts import user_id_of
from antiphon_server.cli.console import aside, in_a_line, run
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.workers.invite import invite
from antiphon_server.cli.workers.listing import list_workers, permissions, show_workers
from antiphon_server.cli.workers.options import Handler, Where, asking_for, parent_of, there
from antiphon_server.cli.workers.rollout import deployments, rollout

_ABOUT = """Let programs answer as experts, and see which are there.

A worker is a program that dials in, from anywhere, and answers for a handler: what people choose
with /handlers in a chat. It signs in with an API key of the scope `work`, which opens the workers'
stream and nothing else, and serves what its account was allowed to.

For example:

- `antiphon workers invite reviewer > reviewer.env`
- `env $(cat reviewer.env) python reviewer.py`
- `antiphon workers`
- `antiphon workers permissions`
- `antiphon workers forbid reviewer reviewer-worker`
"""
app = typer.Typer(
    help=_ABOUT, no_args_is_help=False, invoke_without_command=True, rich_markup_mode="markdown"
)
User = Annotated[
    str,
    typer.Argument(metavar="USER", help="Whose workers: a name, for operators, or a user_id."),
]
app.command()(invite)
app.command("list")(list_workers)
app.command()(permissions)
app.command()(deployments)
app.command()(rollout)


@app.callback()
def workers(
    context: typer.Context,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """See the help of the group."""
    if context.invoked_subcommand is None:
        run(show_workers(workspace, json, address, data_dir))


@app.command()
def allow(
    handler: Handler,
    user: User,
    workspace: Where = "",
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Let somebody's workers serve a handler.

    A workspace's own handler goes before one of that name in all workspaces.

    For example:

    - `antiphon workers allow reviewer reviewer-worker`
    - `antiphon workers allow search user_… --workspace ws_…`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            user_id = await user_id_of(client, user)
            with asking_for(workspace):
                await client.allow_worker(parent_of(workspace), handler, user_id)
        aside(in_a_line(f"Workers of {user} may serve {handler} {there(workspace)}."))

    run(work())


@app.command()
def forbid(
    handler: Handler,
    user: User,
    workspace: Where = "",
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Take that back: what their workers are doing goes on at others.

    For example:

    - `antiphon workers forbid reviewer reviewer-worker`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            user_id = await user_id_of(client, user)
            with asking_for(workspace):
                await client.forbid_worker(parent_of(workspace), handler, user_id)
        aside(in_a_line(f"Workers of {user} may not serve {handler} {there(workspace)}."))

    run(work())
