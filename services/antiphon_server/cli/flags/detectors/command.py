"""``antiphon flags detectors``."""

import typer

from antiphon_server.cli.flags.detectors.about import DETECTORS
from antiphon_server.cli.flags.detectors.adding import add
from antiphon_server.cli.rules.setting import add_remove, add_restore, add_set
from antiphon_server.cli.rules.showing import add_history, add_show

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
_REMOVED = (
    "Remove one detector; `restore` brings it back. Its flags stay, until somebody clears them."
)
app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")
add_show(app, DETECTORS)
add_set(app, DETECTORS)
app.command()(add)
add_remove(app, DETECTORS, _REMOVED, "floods")
add_history(app, DETECTORS)
add_restore(app, DETECTORS)
