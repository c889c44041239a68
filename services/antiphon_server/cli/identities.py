"""``antiphon users link``, ``unlink`` and ``identities``: who signs in at identity providers."""

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import CommandError, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json

if TYPE_CHECKING:
    from antiphon.auth.v1.auth_pb2 import Identity

Name = Annotated[str, typer.Argument(help="The user's name, or user_id.")]
Subject = Annotated[
    str, typer.Option("--subject", help="Who it is there: the claim `sub`, for Entra `oid`.")
]
Issuer = Annotated[
    str,
    typer.Option("--issuer", help="The issuer; for Entra that of the tenant. Default: its own."),
]
_TIME = "%Y-%m-%d %H:%M"


def link(
    name: Name,
    provider: Annotated[str, typer.Option("--provider", help="Its name in the settings.")],
    subject: Subject,
    issuer: Issuer = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Let an account at an identity provider sign somebody in.

    For example:

    - `antiphon users link anna --provider google --subject 110169484474386276334`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            user = await client.get_user(name)
            linked = await client.link_identity(user.user_id, provider, subject, issuer)
        _show([linked], json)

    run(work())


def unlink(
    name: Name,
    subject: Subject,
    issuer: Issuer = "",
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Take that back: whom identity providers have signed in as this user is out now.

    For example:

    - `antiphon users unlink anna --subject 110169484474386276334`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            user = await client.get_user(name)
            theirs = await client.list_identities(user.user_id)
            meant = [one for one in theirs if one.subject == subject]
            meant = [one for one in meant if issuer in ("", one.issuer)]
            if not meant:
                raise CommandError(f"{user.name} has no such identity; see `users identities`.")
            if len(meant) > 1:
                raise CommandError(f"{user.name} has several of that subject: add --issuer.")
            await client.unlink_identity(meant[0].issuer, subject)
        say("Unlinked.", err=True)

    run(work())


def identities(
    name: Name, json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """List the accounts at identity providers that sign somebody in.

    For example:

    - `antiphon users identities anna`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            user = await client.get_user(name)
            found = await client.list_identities(user.user_id)
        _show(found, json)

    run(work())


def _show(found: "list[Identity]", json: bool) -> None:
    from antiphon_server.cli.encoding import as_dict, local_time
    from antiphon_server.cli.table import print_table

    if json:
        for one in found:
            print_json(as_dict(one))
        return
    rows = [
        (one.provider, one.issuer, one.subject, local_time(one.last_use_time, _TIME) or "never")
        for one in found
    ]
    print_table(("provider", "issuer", "subject", "last used"), rows, whole=True)
