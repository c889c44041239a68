"""``antiphon login`` and ``antiphon logout``."""

from typing import Annotated

import typer

from antiphon_server.cli.console import CommandError, run, say
from antiphon_server.cli.options import Address


def login(
    address: Address = "",
    name: Annotated[
        str, typer.Option("--name", "-u", prompt="Name", help="Your name on the server.")
    ] = "",
    password: Annotated[
        str,
        typer.Option(
            "--password",
            envvar="ANTIPHON_PASSWORD",
            prompt="Password",
            hide_input=True,
            help="Better not given here: it is asked for.",
        ),
    ] = "",
) -> None:
    """Sign in with a name and a password.

    The tokens are kept in a file that only you can read, for this address; the password is
    not kept. On the server's own machine the operator needs no login.

    For example:

    - `antiphon login`
    - `antiphon login --address https://antiphon.example.org:443 --name anna`
    """
    run(_login(address, name, password))


async def _login(address: str, name: str, password: str) -> None:
    from antiphon_client import (
        DEFAULT_ADDRESS,
        Client,
        FileTokenStore,
        MemoryTokenStore,
        Password,
    )
    from antiphon_server.cli.paths import login_file
    from antiphon_server.cli.where import is_loopback

    address = address or DEFAULT_ADDRESS
    if not is_loopback(address) and not address.startswith("https://"):
        say("Note: the password travels in clear; use https:// if you can.", err=True)
    store = MemoryTokenStore()
    client = Client.connect(address, Password(name, password), store=store, device="antiphon cli")
    async with client:
        me = await client.who_am_i()
    FileTokenStore(login_file(address)).save(store.load())
    say(f"Signed in at {address} as {me.user.name}.")


def logout(address: Address = "") -> None:
    """End the session of `antiphon login`, here and on the server.

    For example:

    - `antiphon logout --address https://antiphon.example.org:443`
    """
    run(_logout(address))


async def _logout(address: str) -> None:
    from antiphon_client import DEFAULT_ADDRESS, Client, FileTokenStore
    from antiphon_server.cli.paths import login_file

    address = address or DEFAULT_ADDRESS
    store = FileTokenStore(login_file(address))
    if store.load() is None:
        raise CommandError(f"you are not signed in at {address}.")
    async with Client.connect(address, store=store) as client:
        ended = await client.tokens.logout()
    say("Signed out." if ended else "Signed out here; the server could not be told.")
