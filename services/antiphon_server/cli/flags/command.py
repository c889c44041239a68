"""``antiphon flags``."""

import typer

from antiphon_server.cli.flags.clearing import clear
from antiphon_server.cli.flags.detectors.command import app as detectors
from antiphon_server.cli.flags.looking import list_flags
from antiphon_server.cli.flags.showing import show

_ABOUT = """See who behaves out of the ordinary, and why that was flagged; clear it with a reason.

Detectors count who speaks, repeats, meets filters and spends, and who signs in from where. None
stands unless you set it. Nothing of what was said is in a flag.

For example:

- `antiphon flags detectors add floods --kind rate --most 60 --effect throttle`
- `antiphon flags list`
- `antiphon flags show flag_…`
- `antiphon flags clear flag_… "their import; it is done"`
"""
app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")
app.command("list")(list_flags)
app.command()(show)
app.command()(clear)
app.add_typer(detectors, name="detectors")
