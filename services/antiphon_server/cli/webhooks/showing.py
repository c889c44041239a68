"""``antiphon webhooks list``, ``show`` and ``test``."""

from typing import TYPE_CHECKING

from antiphon_server.cli.console import aside, in_a_line, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.webhooks.options import Where, Which

if TYPE_CHECKING:
    from antiphon.dispatcher.v1.webhook_pb2 import Webhook

_HEADINGS = ("webhook", "now", "told of", "where")


def list_webhooks(
    workspace: Where = "", json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """List your own webhooks, or a workspace's: what each is told of, and whether it takes it.

    For example:

    - `antiphon webhooks list`
    - `antiphon webhooks list --workspace ws_… --json`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict
        from antiphon_server.cli.table import print_table

        async with client_for(address, data_dir) as client:
            found = await client.list_webhooks(workspace)
        if json:
            for it in found:
                print_json(as_dict(it))
        elif found:
            rows = [(it.webhook_id, state_of(it), told_of(it), it.url) for it in found]
            print_table(_HEADINGS, rows, whole=True)
        else:
            aside("There are none: `antiphon webhooks create URL` makes one.")

    run(work())


def show(
    webhook: Which,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Show one webhook; its secret is never shown again.

    For example:

    - `antiphon webhooks show wh_…`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict, local_time

        async with client_for(address, data_dir) as client:
            found = await client.get_webhook(webhook, workspace)
        if json:
            print_json(as_dict(found))
            return
        told = {
            "webhook": found.webhook_id,
            "where": found.url,
            "for": found.description,
            "told of": told_of(found),
            "now": state_of(found),
            "dropped": f"{found.dropped_count} deliveries" if found.dropped_count else "",
            "secrets": f"{found.secret_count} valid",
            "made": f"{local_time(found.create_time)} by {found.creator}",
        }
        for name, value in told.items():
            if value:
                say(in_a_line(f"{name:8} {value}"))

    run(work())


def try_out(
    webhook: Which,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Post a message of the type webhook.test now, and say what came back.

    The exit status is 1 if it was not taken.

    For example:

    - `antiphon webhooks test wh_…`
    """

    async def work() -> bool:
        from antiphon.dispatcher.v1.webhook_pb2 import DELIVERY_OUTCOME_TAKEN
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict
        from antiphon_server.cli.webhooks.words import came_back

        async with client_for(address, data_dir) as client:
            found = await client.test_webhook(webhook, workspace)
        if json:
            print_json(as_dict(found))
        else:
            took_ms = found.duration.ToMilliseconds()
            say(f"{came_back(found.outcome, found.status_code)}, within {took_ms} ms")
        return found.outcome == DELIVERY_OUTCOME_TAKEN

    if not run(work()):
        raise SystemExit(1)


def state_of(it: "Webhook") -> str:
    """Whether it is told anything, and takes it."""
    from antiphon.events.v1.event_pb2 import WebhookDisabledReason
    from antiphon_server.cli.encoding import local_time
    from antiphon_server.cli.kinds import name_of

    if it.disabled:
        why = name_of(WebhookDisabledReason, "WEBHOOK_DISABLED_REASON_", it.disabled_reason)
        return f"disabled: {why.replace('_', ' ')}"
    if it.HasField("full_since"):
        return f"full since {local_time(it.full_since)}: what comes is not kept"
    if it.HasField("failing_since"):
        return f"failing since {local_time(it.failing_since)}"
    return "on"


def told_of(it: "Webhook") -> str:
    """What its filter lets pass, in words."""
    from antiphon.events.v1.event_pb2 import NotificationKind, TurnState
    from antiphon_server.cli.kinds import name_of

    kinds = [name_of(NotificationKind, "NOTIFICATION_KIND_", each) for each in it.kinds]
    states = [name_of(TurnState, "TURN_STATE_", each) for each in it.states]
    parts = [kinds, states, list(it.handlers), list(it.workspaces)]
    return "; ".join(" or ".join(part) for part in parts if part) or "everything"
