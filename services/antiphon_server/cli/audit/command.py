"""The commands of ``antiphon audit``."""

import typer

from antiphon_server.cli.audit.export import export
from antiphon_server.cli.audit.tail import tail
from antiphon_server.cli.audit.verify import verify

_ABOUT = """Show, export and verify security events: who came in, who was refused, who changed what.

For example:

- `antiphon audit tail --follow`
- `antiphon audit export events.jsonl`
- `antiphon audit verify events.jsonl`
"""

app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")
for command in (tail, export, verify):
    app.command()(command)
