"""``antiphon login`` and ``antiphon logout``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from antiphon_server.cli.console import CommandError, fail, run, say
from antiphon_server.cli.devices import log_in_by_device
from antiphon_server.cli.options import CA_VARIABLE, Address


def login(
    who: Annotated[str, typer.Argument(metavar="[NAME]", help="Your name on the server.")] = "",
    address: Address = "",
    name: Annotated[str, typer.Option("--name", "-u", help="The same as an option.")] = "",
    password: Annotated[
        str,
        typer.Option(
            "--password",
            envvar="ANTIPHON_PASSWORD",
            help="Better not given here: it is asked for.",
        ),
    ] = "",
    browser: Annotated[
        bool, typer.Option("--browser", help="Sign in at an identity provider, in a browser.")
    ] = False,
    provider: Annotated[
        str, typer.Option("--provider", help="Which one, if the server knows several.")
    ] = "",
    device: Annotated[
        bool,
        typer.Option("--device", help="Show a code, to be let in from where you are signed in."),
    ] = False,
    ca: Annotated[
        Path | None,
        typer.Option(
            "--ca",
            envvar=CA_VARIABLE,
            metavar="FILE",
            help="Trust the authorities in this PEM file, here and in later commands.",
        ),
    ] = None,
) -> None:
    """Sign in with a name and a password, or at an identity provider.

    The tokens are kept in a file that only you can read, for this address; the password is
    not kept. On the server's own machine the operator needs no login. Accounts are made by
    an operator.

    For example:

    - `antiphon login`
    - `antiphon login anna`
    - `antiphon login --address https://antiphon.example.org:443 --name anna`
    - `antiphon login -a https://antiphon.example.lan:7450 --ca our-ca.pem`
    - `antiphon login --browser` (at the organisation's identity provider)
    - `antiphon login --device` (where neither password nor browser is at hand)
    """
    if who and name and who != name:
        fail(f"who signs in: {who} or {name}? Give one name", 2)
    name = name or who
    if browser or provider:
        from antiphon_server.cli.browser_login import log_in_by_browser

        run(log_in_by_browser(address, provider, ca))
        return
    if device:
        run(log_in_by_device(address, ca))
        return
    run(_look(address, ca))
    if not (name and password) and not sys.stdin.isatty():
        fail("no terminal to ask on: give --name, and the password as ANTIPHON_PASSWORD", 2)
    name = name or typer.prompt("Name")
    password = password or typer.prompt("Password", hide_input=True)
    run(_login(address, name, password, ca))


async def _look(address: str, ca: Path | None) -> None:
    """Whether one can sign in there, before anything is asked."""
    from antiphon_server.cli.paths import data_dir_or_default
    from antiphon_server.cli.trust import tls_for
    from antiphon_server.cli.where import is_loopback, reached

    address = reached(address)
    tls_for(address, data_dir_or_default(None), ca)
    if not is_loopback(address) and not address.startswith("https://"):
        say("Note: the password travels in clear; use https:// if you can.", err=True)


async def _login(address: str, name: str, password: str, ca: Path | None) -> None:
    from antiphon_client import (
        DEFAULT_ADDRESS,
        AntiphonError,
        Client,
        MemoryTokenStore,
        Password,
    )
    from antiphon_server.cli.logins import keep_login, say_signed_in
    from antiphon_server.cli.paths import data_dir_or_default
    from antiphon_server.cli.trust import tls_for

    address = address or DEFAULT_ADDRESS
    store = MemoryTokenStore()
    tls = tls_for(address, data_dir_or_default(None), ca)
    credentials = Password(name, password)
    client = Client.connect(
        address, credentials, store=store, tls=tls, device="antiphon cli", patient=False
    )
    async with client:
        try:
            me = await client.who_am_i()
        except AntiphonError as error:
            if error.reason != "CREDENTIALS_INVALID":
                raise
            raise CommandError(
                f"the server on {address} knows no such name and password; check both. "
                "Accounts are made by its operator."
            ) from None
    keep_login(address, store.load(), ca)
    say_signed_in(address, me.user.name)


def logout(address: Address = "") -> None:
    """End the session of `antiphon login`, here and on the server.

    For example:

    - `antiphon logout --address https://antiphon.example.org:443`
    """
    run(_logout(address))


async def _logout(address: str) -> None:
    from antiphon_client import DEFAULT_ADDRESS, Client, FileTokenStore
    from antiphon_server.cli.logins import forget_login, hint
    from antiphon_server.cli.paths import data_dir_or_default, login_file
    from antiphon_server.cli.trust import tls_for

    address = address or DEFAULT_ADDRESS
    store = FileTokenStore(login_file(address))
    if store.load() is None:
        forget_login(address)
        raise CommandError(f"you are not signed in at {address}. {hint()}".rstrip())
    tls = tls_for(address, data_dir_or_default(None))
    async with Client.connect(address, store=store, tls=tls, patient=False) as client:
        ended = await client.tokens.logout()
    forget_login(address)
    say("Signed out." if ended else "Signed out here; the server could not be told.")
    say(f"Sign in again with `antiphon login -a {address}`.", err=True)
