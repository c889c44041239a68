"""``antiphon web``."""

import typer

from antiphon_server.cli.console import CommandError, say
from antiphon_server.cli.options import DataDir


def web(data_dir: DataDir = None) -> None:
    """Print a link to the page of this machine's server that signs you in.

    The link works once, within 10 minutes. It opens no browser by itself: whoever is on the
    machine sees what a program is started with. The server has to run with --web.

    For example:

    - `antiphon web`
    """
    from antiphon_server.cli.paths import OPERATOR_FILE, data_dir_or_default
    from antiphon_server.cli.server_file import told_in
    from antiphon_server.cli.where import local_server
    from antiphon_server.web.links import make_link

    folder = data_dir_or_default(data_dir)
    told = told_in(folder)
    page = str(told.get("web", ""))
    if not page or local_server(folder) is None:
        raise CommandError(
            f"no server with pages runs on {folder}. Start one with `antiphon up --web`."
        )
    if not told.get("links"):
        say(page)
        return
    try:
        key = (folder / OPERATOR_FILE).read_text().strip()
    except OSError as error:
        raise CommandError(f"{folder / OPERATOR_FILE}: {error.strerror}") from None
    say(f"{page}#link={make_link(key)}")
    typer.echo("It works once, within 10 minutes.", err=True)
