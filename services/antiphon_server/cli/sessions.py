"""``antiphon sessions``."""

from typing import Annotated

import typer

from antiphon_server.cli.accounts import UserName, when_and_where
from antiphon_server.cli.console import CommandError, print_json, run, say
from antiphon_server.cli.kinds import name_of
from antiphon_server.cli.options import Address, DataDir, Json

_ABOUT = """Show where you are signed in, and sign out elsewhere.

For example:

- `antiphon sessions list`
- `antiphon sessions revoke sess_…`
- `antiphon sessions revoke --all` (a device was lost)
- `antiphon sessions revoke --all --keys` (somebody else was in)
"""

app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")
_TIME = "%Y-%m-%d %H:%M"
_HEADINGS = ("  session", "device", "by", "signed in", "last used", "ends")


@app.command("list")
def list_sessions(
    user: UserName = "", json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """List live sessions, the newest first; `*` marks the one that asks.

    For example:

    - `antiphon sessions list`
    - `antiphon sessions list --user anna`
    - `antiphon sessions list --json | jq -r .session_id`
    """
    run(_list(user, json, address, data_dir))


@app.command()
def revoke(
    session: Annotated[
        str, typer.Argument(metavar="[SESSION]", help="Which, as `list` shows it.")
    ] = "",
    everything: Annotated[bool, typer.Option("--all", help="All but the one that asks.")] = False,
    keys: Annotated[
        bool, typer.Option("--keys", help="With --all: API keys, too, but the one in use.")
    ] = False,
    user: UserName = "",
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """End a session, or all others: its tokens stop working and its streams end.

    For example:

    - `antiphon sessions revoke sess_…`
    - `antiphon sessions revoke --all`
    - `antiphon sessions revoke --all --keys --user anna`
    """
    if bool(session) == everything:
        raise CommandError("say which session (`antiphon sessions list` shows them), or --all.")
    if session and keys:
        raise CommandError("--keys goes with --all; `antiphon keys revoke` revokes one.")
    run(_revoke(session, keys, user, address, data_dir))


async def _list(user: str, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon.auth.v1.auth_pb2 import LoginMethod
    from antiphon_server.cli.accounts import user_id_of
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict, local_time
    from antiphon_server.cli.table import print_table

    rows = []
    async with client_for(address, data_dir) as client:
        async for one in client.list_sessions(await user_id_of(client, user)):
            if json:
                print_json(as_dict(one))
                continue
            method = name_of(LoginMethod, "LOGIN_METHOD_", one.method)
            rows.append(
                (
                    f"{'*' if one.current else ' '} {one.session_id}",
                    one.device,
                    one.provider or method.replace("_", " "),
                    when_and_where(local_time(one.create_time, _TIME), one.first_address),
                    when_and_where(local_time(one.last_use_time, _TIME), one.last_address),
                    local_time(one.expire_time, _TIME),
                )
            )
    if not json:
        print_table(_HEADINGS, rows)


async def _revoke(session: str, keys: bool, user: str, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.accounts import user_id_of
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        if session:
            await client.revoke_session(session)
            say("The session is over.")
            return
        ended = await client.revoke_all_sessions(await user_id_of(client, user), api_keys=keys)
    say(f"{_counted(ended.revoked, 'session')} ended.")
    if keys:
        say(f"{_counted(ended.revoked_api_keys, 'API key')} revoked.")
    if ended.remaining_api_keys:
        left = _counted(ended.remaining_api_keys, "API key")
        say(f"{left} of the same user still can sign in: `antiphon keys list`.", err=True)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
