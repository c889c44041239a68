"""``antiphon password``."""

import typer

from antiphon_server.cli.console import CommandError, run, say
from antiphon_server.cli.options import Address, DataDir
from antiphon_server.cli.typed_secrets import OLD_PASSWORD, RESET_TOKEN, new_password, secret

_ABOUT = """Change your password, or set a new one.

For example:

- `antiphon password change`
- `antiphon password reset` (with a token from an operator)
"""

app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")

_DEAD_TOKEN = (
    "that token does not work: each works once, for an hour, and until a newer one is made. Ask "
    "an operator for another (`antiphon users reset-password NAME`)."
)


@app.command()
def change(address: Address = "", data_dir: DataDir = None) -> None:
    """Change your password. Your sessions on other devices end.

    Both are asked for, or taken from ANTIPHON_PASSWORD and ANTIPHON_NEW_PASSWORD.

    For example:

    - `antiphon password change -a https://antiphon.example.org:443`
    """
    run(_look(address, data_dir))
    old = secret("Password so far", OLD_PASSWORD)
    run(_change(old, new_password(), address, data_dir))


async def _look(address: str, data_dir: DataDir) -> None:
    """Whether one is signed in, before anything is asked."""
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        await client.who_am_i()


async def _change(old: str, new: str, address: str, data_dir: DataDir) -> None:
    from antiphon_client import AntiphonError
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        try:
            await client.change_password(old, new)
        except AntiphonError as error:
            if error.reason != "CREDENTIALS_INVALID":
                raise
            raise CommandError("the password so far is wrong; nothing was changed.") from None
    say("Changed. Whoever was signed in elsewhere has to sign in again.")


@app.command()
def reset(address: Address = "", data_dir: DataDir = None) -> None:
    """Set a password with the token that an operator gave you.

    Both are asked for, or taken from ANTIPHON_RESET_TOKEN and ANTIPHON_NEW_PASSWORD.

    For example:

    - `antiphon password reset -a https://antiphon.example.org:443`
    """
    from antiphon_server.auth.service.key_format import well_formed
    from antiphon_server.auth.service.password_resets import PREFIX

    token = secret("Token from the operator (antp_…)", RESET_TOKEN)
    token = token.strip()
    if not well_formed(token, PREFIX):  # before a password is asked for
        raise CommandError(_DEAD_TOKEN)
    run(_reset(token, new_password(), address, data_dir))


async def _reset(token: str, new: str, address: str, data_dir: DataDir) -> None:
    from antiphon_client import AntiphonError
    from antiphon_client.signing_in import reset_password
    from antiphon_server.cli.paths import data_dir_or_default
    from antiphon_server.cli.trust import tls_for
    from antiphon_server.cli.where import server_for

    folder = data_dir_or_default(data_dir)
    found = server_for(address, folder)
    try:
        await reset_password(found, token, new, tls_for(found, folder))
    except AntiphonError as error:
        if error.reason != "CREDENTIALS_INVALID":
            raise
        raise CommandError(_DEAD_TOKEN) from None
    say(f"Set. Sign in with `antiphon login{f' -a {address}' if address else ''}`.")
