"""``antiphon webhooks update``, ``rotate`` and ``delete``."""

from typing import Annotated

import typer

from antiphon_server.cli.console import CommandError, aside, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.webhooks.options import Where, Which, checked, kinds_of, states_of, warn_of


def update(
    webhook: Which,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="Where to post.")] = None,
    description: Annotated[
        str | None, typer.Option("--description", metavar="TEXT", help="What it is for.")
    ] = None,
    kinds: Annotated[
        str | None, typer.Option("--kinds", metavar="KIND,…", help='Only these; "" for all.')
    ] = None,
    states: Annotated[
        str | None, typer.Option("--states", metavar="STATE,…", help='Only these; "" for all.')
    ] = None,
    enable: Annotated[
        bool | None,
        typer.Option("--enable/--disable", help="Whether it is told what happens from now on."),
    ] = None,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Change what a webhook is told, or where, or whether. What is not said stays.

    For example:

    - `antiphon webhooks update wh_… --enable`
    - `antiphon webhooks update wh_… --url https://hooks.example/new --states ""`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict

        async with client_for(address, data_dir) as client:
            found = await client.get_webhook(webhook, workspace)
            names = []
            if url is not None:
                found.url = checked(url)
                names.append("url")
            if description is not None:
                found.description = description
                names.append("description")
            if kinds is not None:
                found.kinds[:] = kinds_of(kinds)
                names.append("kinds")
            if states is not None:
                found.states[:] = states_of(states)
                names.append("states")
            if enable is not None:
                found.disabled = not enable
                names.append("disabled")
            if not names:
                raise CommandError("say what is to change: `antiphon webhooks update --help`")
            made = await client.update_webhook(found, *names, only_if_unchanged=True)
        if json:
            print_json(as_dict(made))
        else:
            aside(f"{webhook} is changed.")
            warn_of(url or "")

    run(work())


def rotate(
    webhook: Which,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Make another secret and print it, once; the one before signs, too, for 24 hours more.

    For example:

    - `antiphon webhooks rotate wh_…`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict

        async with client_for(address, data_dir) as client:
            made, secret = await client.rotate_webhook_secret(webhook, workspace)
        if json:
            print_json({**as_dict(made), "secret": secret})
            return
        say(f"secret   {secret}")
        aside("Give it to the receiver within 24 hours: it is not shown again.")

    run(work())


def delete(
    webhook: Which,
    workspace: Where = "",
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Have an address told nothing more; its deliveries are gone, too.

    For example:

    - `antiphon webhooks delete wh_…`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            await client.delete_webhook(webhook, workspace)
        aside(f"{webhook} is told nothing any more.")

    run(work())
