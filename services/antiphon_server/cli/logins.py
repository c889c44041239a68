"""The logins that are kept on this machine, one for each server."""

import os
from dataclasses import dataclass
from pathlib import Path

from antiphon_client import FileTokenStore, Tokens
from antiphon_server.cli.console import say
from antiphon_server.cli.options import KEY_VARIABLE
from antiphon_server.cli.paths import address_file, login_file, logins_folder
from antiphon_server.cli.trust import keep_ca


@dataclass(frozen=True, slots=True)
class Login:
    """Where somebody signed in; ``live`` unless the server has ended the session since."""

    address: str
    live: bool


def keep_login(address: str, tokens: Tokens | None, ca: Path | None) -> None:
    """Keep what a login brought, and whom it was told to trust."""
    FileTokenStore(login_file(address)).save(tokens)
    address_file(address).write_text(address)
    keep_ca(address, ca)


def say_signed_in(address: str, name: str) -> None:
    """Say as whom a login was, and what goes before it."""
    say(f"Signed in at {address} as {name}.")
    if os.environ.get(KEY_VARIABLE):
        say(f"{KEY_VARIABLE} is set and goes before this login: `unset {KEY_VARIABLE}`.", err=True)


def forget_login(address: str) -> None:
    """Forget that there was one, after a logout."""
    address_file(address).unlink(missing_ok=True)


def kept_logins() -> list[Login]:
    """Those of this user."""
    addresses = (file.read_text() for file in sorted(logins_folder().glob("*.address")))
    return [Login(one, FileTokenStore(login_file(one)).load() is not None) for one in addresses]


def hint() -> str:
    """Where one is signed in, and how to say so; "" if nowhere."""
    kept = kept_logins()
    live = [login.address for login in kept if login.live]
    if len(live) == 1:
        [one] = live
        return f"you are signed in at {one}: add `-a {one}`, or `export ANTIPHON_ADDRESS={one}`."
    if live:
        return f"you are signed in at {' and '.join(live)}: add `-a` with one of them."
    if kept:
        last = kept[-1].address
        return f"your session at {last} was ended; sign in again with `antiphon login -a {last}`."
    return ""
