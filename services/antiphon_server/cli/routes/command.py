"""``antiphon routes``."""

import typer

from antiphon_server.cli.routes.about import ROUTES
from antiphon_server.cli.routes.trying import explain, try_rules
from antiphon_server.cli.rules.setting import add_restore, add_set
from antiphon_server.cli.rules.showing import add_history, add_show

_ABOUT = """Say who gets what: rules by which messages find their handlers where nobody names one.

A rule matches by a message's type, metadata and text, and by its conversation's labels and
language; it names a handler, or chooses among experts by what is said. A workspace's rules come
first, then those of all, then it is the default handler.

For example:

- `antiphon routes show`
- `antiphon routes try routes.toml`
- `antiphon routes set routes.toml --comment "invoices have an expert"`
- `antiphon routes explain conv_… "Where is my invoice?"`
- `antiphon routes restore 3`

A file has the rules, the highest priority first; `antiphon routes show --toml` prints one:

    [[rules]]
    name = "invoices"
    priority = 10
    match = { languages = ["de"], text_patterns = ["(?i)rechnung"] }
    handler = "invoices"
    fallback = "assistant"
"""
app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")
add_show(app, ROUTES)
add_set(app, ROUTES)
app.command("try")(try_rules)
add_history(app, ROUTES)
add_restore(app, ROUTES)
app.command()(explain)
