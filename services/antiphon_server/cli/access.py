"""``antiphon access``: who may call what, and why."""

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.accounts import SCOPES, scopes_named
from antiphon_server.cli.console import aside, in_a_line, print_json, run, say
from antiphon_server.cli.kinds import name_of
from antiphon_server.cli.options import Address, DataDir, Json

if TYPE_CHECKING:
    from antiphon.auth.v1.access_service_pb2 import RpcAccess

_ABOUT = """Show who may call what, and why.

For example:

- `antiphon access list`
- `antiphon access explain anna PostMessage conv_…`
"""

access = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")
_HEADINGS = ("rpc", "needs", "scope", "on")


@access.command("list")
def list_access(json: Json = False, address: Address = "", data_dir: DataDir = None) -> None:
    """List every RPC with the permission and the scope that it needs.

    For example:

    - `antiphon access list`
    - `antiphon access list --json | jq -r 'select(.permission=="PERMISSION_PUBLIC").rpc'`
    """
    run(_list(json, address, data_dir))


@access.command("explain")
def explain_access(
    user: Annotated[str, typer.Argument(help="Whose access: a name or an ID (user_…).")],
    rpc: Annotated[str, typer.Argument(help="What is called, such as PostMessage.")],
    resource: Annotated[
        str, typer.Argument(help="On what: a workspace (ws_…) or conversation (conv_…).")
    ] = "",
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            metavar="NAMES",
            help=f"By a key limited to these: {', '.join(SCOPES)}; several with commas.",
        ),
    ] = None,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Say whether a user may call an RPC now, step by step; for operators.

    It exits with 0 if the call is allowed and with 3 if it is refused. For example:

    - `antiphon access explain ann PostMessage conv_…`
    - `antiphon access explain ann PostMessage conv_… --scope read` (by a limited key)
    """
    if not run(_explain(user, rpc, resource, scope, json, address, data_dir)):
        raise typer.Exit(3)


async def _list(json: bool, address: Address, data_dir: DataDir) -> None:
    from antiphon.auth.v1.access_pb2 import Scope
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.table import print_table

    rows = []
    async with client_for(address, data_dir) as client:
        async for one in client.list_access():
            if json:
                print_json(as_dict(one))
                continue
            scope = name_of(Scope, "SCOPE_", one.scope).upper() if one.scope else "-"
            rows.append((one.rpc, _permission(one), scope, one.resource_field))
    if not json:
        print_table(_HEADINGS, rows, whole=True)


async def _explain(
    user: str,
    rpc: str,
    resource: str,
    scope: list[str] | None,
    json: bool,
    address: Address,
    data_dir: DataDir,
) -> bool:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict

    scopes = None if scope is None else scopes_named(",".join(scope))
    async with client_for(address, data_dir) as client:
        told = await client.explain_access(user, rpc, resource, scopes)
    if json:
        print_json({"allowed": False, **as_dict(told)})
        return told.allowed
    for step in told.steps[:-1]:
        say(f"- {in_a_line(step)}", indent="  ")
    refusal = f"refused: {told.reason}"
    say("allowed" if told.allowed else refusal, colour="green" if told.allowed else "red")
    if told.rpc.resource_field and not resource:
        needed = _permission(told.rpc)
        aside(f"· {told.rpc.resource_field} was not given: there it needs a role with {needed}")
    elif told.reason == "NOT_FOUND" and resource:
        aside(
            "· whoever has no role there can't tell whether it exists; "
            f"`antiphon members add {resource} {user}` gives one"
        )
    elif told.reason == "PERMISSION_DENIED" and resource:
        aside(
            f"· `antiphon members set {resource} {user} --role ROLE` gives another role there, "
            "`members add` a first one"
        )
    return told.allowed


def _permission(rpc: "RpcAccess") -> str:
    from antiphon.auth.v1.access_pb2 import Permission

    return name_of(Permission, "PERMISSION_", rpc.permission).upper()
