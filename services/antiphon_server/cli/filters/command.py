"""``antiphon filters``."""

import typer

from antiphon_server.cli.filters.about import FILTERS
from antiphon_server.cli.filters.adding import add, disable, enable
from antiphon_server.cli.filters.looking import screenings
from antiphon_server.cli.filters.trying import try_filters
from antiphon_server.cli.rules.setting import add_remove, add_restore, add_set
from antiphon_server.cli.rules.showing import add_history, add_show

_ABOUT = """Say what stands in front of all who work on what is said: filters, one after the other.

A filter looks for something in messages, in what tools return, or in answers. What it finds is
flagged, cut out, or has all of it refused. Those of all workspaces look first, then a workspace's.

For example:

- `antiphon filters add keys --kind secrets --action sanitise`
- `antiphon filters try "my key is ghp_…"`
- `antiphon filters show`
- `antiphon filters screenings`
- `antiphon filters set filters.toml --comment "no card numbers"`

A file has the filters in their order; `antiphon filters show --toml` prints one:

    [[filters]]
    name = "manners"
    action = "block"
    terms = { terms = ["blockhead"] }
"""
_REMOVED = "Remove one filter; `antiphon filters restore` brings it back."
app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")
add_show(app, FILTERS)
add_set(app, FILTERS)
app.command()(add)
add_remove(app, FILTERS, _REMOVED, "manners --workspace ws_…")
app.command()(enable)
app.command()(disable)
app.command("try")(try_filters)
app.command()(screenings)
add_history(app, FILTERS)
add_restore(app, FILTERS)
