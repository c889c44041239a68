"""``antiphon webhooks``."""

import typer

from antiphon_server.cli.webhooks.changing import delete, rotate, update
from antiphon_server.cli.webhooks.creating import create
from antiphon_server.cli.webhooks.delivered import deliveries, redeliver
from antiphon_server.cli.webhooks.showing import list_webhooks, show, try_out

_ABOUT = """Have an address told when turns end, or wait for people.

Your own webhooks are told of the turns that you started; a workspace's, for its admins, of all in
it. What is posted says which turn it is and how it ended, and nothing that anybody said. It is
signed as the Standard Webhooks say, so their libraries verify it in any language.

For example:

- `antiphon webhooks create https://hooks.example/antiphon --states failed,expired`
- `antiphon webhooks test wh_…`
- `antiphon webhooks deliveries wh_…`
- `antiphon webhooks rotate wh_…`
"""
app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")
app.command("list")(list_webhooks)
app.command()(create)
app.command()(show)
app.command("test")(try_out)
app.command()(deliveries)
app.command()(redeliver)
app.command()(update)
app.command()(rotate)
app.command()(delete)
