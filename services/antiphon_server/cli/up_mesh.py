"""``antiphon up --mesh``: servers behind an edge, and what is coming up."""

import contextlib
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from antiphon_server.cli.announcing import announce
from antiphon_server.cli.paths import OPERATOR_FILE
from antiphon_server.cli.server_file import ServerFile

if TYPE_CHECKING:
    from antiphon_server.app.replicas import Replicated
    from antiphon_server.mesh.model import Address
    from antiphon_server.settings import Settings

_DONE = ("serving", "stopping")


def work(replicas: int, given: Mapping[str, Any]) -> Callable[["Settings"], Any]:
    """What ``antiphon up --mesh`` runs; ``given`` are its options."""

    @contextlib.contextmanager
    def run(settings: "Settings") -> Iterator[Coroutine[Any, Any, None]]:
        from antiphon_server.app.replicas import serve_replicated

        file = ServerFile(settings.data_dir)
        with _display(settings) as tell:

            def ready(found: "Replicated") -> None:
                tell("", "")
                _announce(settings, found, file)

            try:
                yield serve_replicated(settings, replicas, _variables(given), tell, ready)
            finally:
                file.withdraw()

    return run


def _variables(given: Mapping[str, Any]) -> dict[str, str]:
    """Options as the variables that the servers read."""
    from antiphon_server.settings import PREFIX

    return {PREFIX + name.upper(): _text(value) for name, value in given.items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def write_where(settings: "Settings", edge: "Address", file: ServerFile) -> tuple[str, str]:
    """Tell other commands where clients call; returns that, and where the page is, if anywhere."""
    if edge.host in ("0.0.0.0", "::"):
        edge = replace(edge, host="127.0.0.1")
    address = f"https://{edge}" if settings.tls is not None else str(edge)
    told: dict[str, str | int] = {"address": address}
    scheme = "https" if settings.tls is not None else "http"
    page = f"{scheme}://{edge}/" if settings.web else ""
    if page:
        told |= {"web": page, "links": settings.has_links}
    if settings.tls is not None:
        told["certificate"] = str(settings.tls.certificate.absolute())
    file.write(told)
    return address, page


def _announce(settings: "Settings", found: "Replicated", file: ServerFile) -> None:
    address, page = write_where(settings, found.mesh.edge, file)
    count = len(found.replicas)
    with contextlib.suppress(OSError):
        servers = "one server" if count == 1 else f"{count} servers"
        where = f"on {address}, by {servers}, data in {settings.data_dir}"
        announce(f"Antiphon serves {where}.", settings)
        announce("See them with `antiphon mesh status`; stop all with Ctrl-C.", settings)
        if page:
            announce(in_a_browser(settings, page), settings)


def in_a_browser(settings: "Settings", page: str) -> str:
    """Where the page is. A link that lets one in is shown to a terminal, and to no file."""
    if not settings.has_links:
        return f"In a browser: {page}"
    key_file = settings.data_dir / OPERATOR_FILE  # the first server that serves makes it
    if not (sys.stderr.isatty() and key_file.exists()):
        return f"In a browser: {page} (`antiphon web` shows a link that signs you in)"
    from antiphon_server.web.links import make_link

    link = make_link(key_file.read_text().strip())
    return f"In a browser, signed in (once, within 10 minutes): {page}#link={link}"


@contextlib.contextmanager
def _display(settings: "Settings") -> Iterator[Callable[[str, str], None]]:
    """Says of each part what becomes of it: in a terminal in its own line, else a line each time.

    A part without a name ends it.
    """
    if settings.log_format == "json" or not sys.stderr.isatty():
        yield lambda part, state: _line(part, state, settings)
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}"),
        TextColumn("[dim]{task.fields[state]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=False) as progress:
        tasks: dict[str, Any] = {}

        def show(part: str, state: str) -> None:
            if not part:
                progress.stop()
                return
            if part not in tasks:
                tasks[part] = progress.add_task(part, total=1, state=state)
            done = state in _DONE or _whole(state)
            progress.update(tasks[part], state=state, completed=int(done))

        yield show


def _whole(state: str) -> bool:
    """Whether "2 of 2" came up."""
    known, _, all_of_them = state.partition(" of ")
    return bool(all_of_them) and known == all_of_them


def _line(part: str, state: str, settings: "Settings") -> None:
    if part:
        with contextlib.suppress(OSError):
            announce(f"{part}: {state}", settings)
