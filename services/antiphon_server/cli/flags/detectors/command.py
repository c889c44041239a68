"""``antiphon flags detectors``."""

import typer

from antiphon_server.cli.flags.detectors.adding import add, remove
from antiphon_server.cli.flags.detectors.setting import restore, set_detectors
from antiphon_server.cli.flags.detectors.showing import history, show

_ABOUT = """Say what is out of the ordinary: detectors, which flag who they find.

A detector gives each user (or session, conversation, workspace) a score: which share it has
reached of what is still ordinary. From its threshold on, that one is flagged.

For example:

- `antiphon flags detectors add floods --kind rate --most 60 --effect throttle`
- `antiphon flags detectors show`
- `antiphon flags detectors set detectors.toml --comment "60 a minute was too few"`

A file has all of them; `antiphon flags detectors show --toml` prints one:

    [[detectors]]
    name = "floods"
    effect = "throttle"
    throttle_per_minute = 2
    rate = { most = 60 }
"""
app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")
app.command()(show)
app.command("set")(set_detectors)
app.command()(add)
app.command()(remove)
app.command()(history)
app.command()(restore)
