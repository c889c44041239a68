"""``antiphon keys``."""

from typing import Annotated

import typer

from antiphon_server.cli.accounts import UserName, scope_names, scopes_named, when_and_where
from antiphon_server.cli.console import aside, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json

_ABOUT = """Make, list and revoke API keys, with which programs sign in.

For example:

- `antiphon keys create ci --scope read,write --days 90`
- `antiphon keys list`
- `antiphon keys revoke key_…`
"""

app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")
_TIME = "%Y-%m-%d %H:%M"
_HEADINGS = ("key", "label", "may", "made", "ends", "last used")


@app.command()
def create(
    label: Annotated[str, typer.Argument(help="What you call it.")],
    scope: Annotated[
        str,
        typer.Option(
            "--scope",
            metavar="NAMES",
            help="What it is limited to: read, write, manage, account, "
            "operate, work; several with commas. Default: all that its owner may.",
        ),
    ] = "",
    days: Annotated[
        int, typer.Option("--days", min=0, max=3650, help="How long it works; 0: for ever.")
    ] = 0,
    user: Annotated[
        str, typer.Option("--user", metavar="NAME", help="For a program, by name; for operators.")
    ] = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Make a key and print its secret, this once.

    For example:

    - `antiphon keys create ci`
    - `antiphon keys create ci --scope read,write --days 90`
    - `export ANTIPHON_API_KEY=$(antiphon keys create nightly --user worker)`
    """
    run(_create(label, scope, days, user, json, address, data_dir))


@app.command("list")
def list_keys(
    user: UserName = "", json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """List keys, the newest first.

    For example:

    - `antiphon keys list`
    - `antiphon keys list --user worker --json`
    """
    run(_list(user, json, address, data_dir))


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="Which, as `list` shows it.")],
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Revoke a key, and end the sessions that it opened.

    For example:

    - `antiphon keys revoke key_…`
    """
    run(_revoke(key, address, data_dir))


@app.command("rotate-signing")
def rotate_signing(
    compromised: Annotated[
        bool,
        typer.Option("--compromised", help="Refuse tokens of the older keys from now on."),
    ] = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Sign access tokens with a new key; for operators.

    That happens by itself every 30 days. Older tokens live out their time, unless the old key
    is feared to be known: then all are refused, and clients get new ones by themselves.

    For example:

    - `antiphon keys rotate-signing`
    - `antiphon keys rotate-signing --compromised`
    """
    run(_rotate(compromised, address, data_dir))


async def _create(
    label: str, scope: str, days: int, user: str, json: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli.accounts import user_id_of
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict

    scopes = scopes_named(scope)
    async with client_for(address, data_dir) as client:
        user_id = await user_id_of(client, user)
        made = await client.new_api_key(label, scopes=scopes, days=days, user_id=user_id)
    if json:
        print_json(as_dict(made))
        return
    aside(f"{made.api_key.key_id}: keep the secret, it is shown this once.")
    say(made.secret)


async def _list(user: str, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.accounts import user_id_of
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict, local_time
    from antiphon_server.cli.table import print_table

    rows = []
    async with client_for(address, data_dir) as client:
        async for key in client.list_api_keys(await user_id_of(client, user)):
            if json:
                print_json(as_dict(key))
                continue
            rows.append(
                (
                    key.key_id,
                    key.label,
                    scope_names(list(key.scopes)),
                    local_time(key.create_time, _TIME),
                    local_time(key.expire_time, _TIME) or "never",
                    when_and_where(
                        local_time(key.last_use_time, _TIME) or "never", key.last_address
                    ),
                )
            )
    if not json:
        print_table(_HEADINGS, rows)


async def _revoke(key: str, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        await client.revoke_api_key(key)
    say("The key works no more, and the sessions that it opened are over.")


async def _rotate(compromised: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        kid = await client.rotate_signing_keys(compromised=compromised)
    say(f"Tokens are signed with {kid} from now on.")
