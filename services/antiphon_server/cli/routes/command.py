"""``antiphon routes``."""

import typer

from antiphon_server.cli.routes.setting import restore, set_routes
from antiphon_server.cli.routes.showing import history, show
from antiphon_server.cli.routes.trying import explain, try_rules

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
app.command()(show)
app.command("set")(set_routes)
app.command("try")(try_rules)
app.command()(history)
app.command()(restore)
app.command()(explain)
