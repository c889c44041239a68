"""``antiphon login --device``, and ``antiphon approve`` on the other side."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import CommandError, aside, fail, in_a_line, run, say
from antiphon_server.cli.options import Address, DataDir

if TYPE_CHECKING:
    from antiphon.auth.v1.auth_service_pb2 import StartDeviceLoginResponse

_KEY_LETS_NONE_IN = (
    "only somebody who has signed in with `antiphon login` may let a device in: what an API key "
    "opens ends with the key"
)


async def log_in_by_device(address: str, ca: Path | None) -> None:
    """Show a code, wait until somebody has decided, and keep the tokens."""
    from antiphon_client import Client
    from antiphon_client.signing_in import log_in_by_device as wait
    from antiphon_server.cli.logins import keep_login, say_signed_in
    from antiphon_server.cli.paths import data_dir_or_default
    from antiphon_server.cli.trust import tls_for
    from antiphon_server.cli.where import reached

    address = reached(address)
    tls = tls_for(address, data_dir_or_default(None), ca)
    tokens = await wait(address, lambda it: _show(it, address), device="antiphon cli", tls=tls)
    keep_login(address, tokens, ca)
    async with Client.connect(address, tokens, tls=tls) as client:
        me = await client.who_am_i()
    say_signed_in(address, me.user.name)


def _show(started: "StartDeviceLoginResponse", address: str) -> None:
    left = started.expire_time.ToDatetime(UTC) - datetime.now(UTC)
    say(f"Code: {started.user_code}")
    say("Where you are signed in already, type:")
    say(f"    antiphon approve {started.user_code} -a {address}")
    aside(f"Waiting; the code lives for {left.total_seconds() / 60:.0f} minutes. Ctrl-C ends this.")


def approve(
    code: Annotated[str, typer.Argument(metavar="CODE", help="What the device shows.")],
    refuse: Annotated[bool, typer.Option("--refuse", help="Refuse it instead.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Let a device in that runs `antiphon login --device`: it will be signed in as you.

    Shows what the device calls itself and where it asks from, and asks first. Only let in what
    you hold in your hands: whoever sends you a code wants to be you.

    For example:

    - `antiphon approve BCDF-GHJK`
    - `antiphon approve BCDF-GHJK --refuse` (it is told so, and asks no more)
    """
    name = run(_look(code, not refuse, address, data_dir))
    verb = "Refuse it" if refuse else f"Sign it in as {name}"
    if not yes and not typer.confirm(f"{verb}?"):
        fail(f"nothing was decided; `antiphon approve {code} --refuse` refuses it")
    run(_decide(code, not refuse, address, data_dir))
    say("Refused." if refuse else "It is let in.")


async def _look(code: str, approve: bool, address: str, data_dir: DataDir) -> str:
    """Show who asks; returns who decides."""
    from antiphon.auth.v1.auth_pb2 import LOGIN_METHOD_API_KEY
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import local_time

    async with client_for(address, data_dir) as client:
        asking = await client.get_device_login(code)
        me = await client.who_am_i()
    if approve and me.session.method == LOGIN_METHOD_API_KEY:
        raise CommandError(_KEY_LETS_NONE_IN)
    say(f"Device:  {in_a_line(asking.device) or '(it says nothing of itself)'}")
    say(f"Address: {in_a_line(asking.address)}")
    say(f"Asked:   {local_time(asking.create_time)}")
    return me.user.name


async def _decide(code: str, approve: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_client import AntiphonError
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        try:
            await client.decide_device_login(code, approve=approve)
        except AntiphonError as error:
            if error.reason != "PERMISSION_DENIED":
                raise
            raise CommandError(_KEY_LETS_NONE_IN) from None
