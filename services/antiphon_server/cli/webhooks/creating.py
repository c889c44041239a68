"""``antiphon webhooks create``."""

from antiphon_server.cli.console import aside, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.webhooks.options import (
    Description,
    Handlers,
    Kinds,
    States,
    Url,
    Where,
    Workspaces,
    checked,
    kinds_of,
    states_of,
    warn_of,
)


def create(
    url: Url,
    description: Description = "",
    kinds: Kinds = "",
    states: States = "",
    handler: Handlers = None,
    only_in: Workspaces = None,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Have an address told, and print the secret that verifies what it gets: it is shown once.

    Private addresses are refused, unless the operator allows them (ANTIPHON_EGRESS_ALLOW_HOSTS).

    For example:

    - `antiphon webhooks create https://hooks.example/antiphon`
    - `antiphon webhooks create https://hooks.example/antiphon --states failed --handler invoices`
    - `antiphon webhooks create https://hooks.example/team --workspace ws_…`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict

        where = checked(url)
        wanted_kinds, wanted_states = kinds_of(kinds), states_of(states)
        async with client_for(address, data_dir) as client:
            made, secret = await client.create_webhook(
                where,
                workspace,
                description=description,
                handlers=handler or (),
                workspaces=only_in or (),
                kinds=wanted_kinds,
                states=wanted_states,
            )
        if json:
            print_json({**as_dict(made), "secret": secret})
            return
        say(f"webhook  {made.webhook_id}")
        say(f"secret   {secret}")
        aside("Give the secret to the receiver now: it is not shown again.")
        warn_of(where)

    run(work())
