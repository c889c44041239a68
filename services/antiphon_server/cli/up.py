"""``antiphon up``."""

import asyncio
import contextlib
import json
import logging
import shlex
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antiphon_server.cli import up_mesh
from antiphon_server.cli.announcing import announce
from antiphon_server.cli.console import fail, say
from antiphon_server.cli.local_server import STAYS
from antiphon_server.cli.options import DataDir
from antiphon_server.cli.server_file import ServerFile
from antiphon_server.cli.start import start

if TYPE_CHECKING:
    from antiphon_server.app import App
    from antiphon_server.settings import Settings

_TEST_USER = (
    "For development there is a test user: `antiphon login -a {address} --name test`, password "
    "{password} (a new one at each start)."
)
_EXPOSED = (
    "Others can reach this port: `antiphon doctor` says what to do before they are strangers."
)
_NOT_WITH_MESH = {
    "admin_port": "each server picks one; the edge's is admin_port in ANTIPHON_MESH",
    "web_port": "the pages are at the edge, on --port",
}
_LOOK_S = 0.05
_PARENT_LEAVES = 20
_QUIET_LOOKS = 6  # one who reconnects has no stream for a moment


def up(
    host: Annotated[str | None, typer.Option(help="Where to listen. [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="0 picks one. [default: 7450]")] = None,
    admin_port: Annotated[
        int | None, typer.Option(help="Metrics, on loopback; 0 picks one. [default: 7451]")
    ] = None,
    web: Annotated[
        bool | None, typer.Option("--web", help="Serve the pages for browsers, through Envoy.")
    ] = None,
    web_port: Annotated[
        int | None, typer.Option(help="Where the pages are; 0 picks one. [default: 7480]")
    ] = None,
    mesh: Annotated[
        bool, typer.Option("--mesh", help="Run servers as processes of their own, behind Envoy.")
    ] = False,
    replicas: Annotated[
        int, typer.Option(min=1, max=64, help="With --mesh: how many; several share Postgres.")
    ] = 1,
    data_dir: DataDir = None,
    model: Annotated[
        str | None,
        typer.Option(help="The default model. [default: local/smollm2-135m]"),
    ] = None,
    log_level: Annotated[
        str | None, typer.Option(help="debug, info, warning or error. [default: info]")
    ] = None,
    log_format: Annotated[
        str | None, typer.Option(help="console or json. [default: console]")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Speak TLS, with this PEM certificate.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The certificate's key, PEM.")
    ] = None,
    behind_proxy: Annotated[
        bool | None,
        typer.Option("--behind-proxy", help="A proxy speaks TLS: a plain port is meant."),
    ] = None,
    test_users: Annotated[
        bool | None,
        typer.Option("--test-user", help="Make the user `test`, on this machine, to try out."),
    ] = None,
    session: Annotated[bool, typer.Option("--session", hidden=True)] = False,
) -> None:
    """Run a server: all services in one process, on one port.

    Everything can also be set by variables: ANTIPHON_HOST, ANTIPHON_PORT, ANTIPHON_MODEL …
    With ANTIPHON_ENV=production it starts only if everything is safe, and says what is not.

    For example:

    - `antiphon up`
    - `antiphon up --web`
    - `ANTIPHON_DATABASE_URL=postgresql://… antiphon up --mesh --replicas 2`
    - `antiphon up --port 8000 --data-dir ./data`
    - `OPENAI_API_KEY=… antiphon up --model openai/gpt-4.1-mini`
    """
    given = {
        "host": host,
        "port": port,
        "admin_port": admin_port,
        "web": web,
        "web_port": web_port,
        "data_dir": data_dir,
        "model": model,
        "log_level": log_level,
        "log_format": log_format,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
        "behind_proxy": behind_proxy,
        "test_users": test_users,
    }
    told = {key: value for key, value in given.items() if value is not None}
    _check(told, replicas, mesh=mesh)
    if mesh:
        start(told, up_mesh.work(replicas, told))
    else:
        _up(told, session)


def _check(told: Mapping[str, Any], replicas: int, *, mesh: bool) -> None:
    """Options that would mean nothing are refused."""
    if replicas > 1 and not mesh:
        fail("--replicas goes with --mesh", 2)
    for name, why in _NOT_WITH_MESH.items():
        if mesh and name in told:
            fail(f"--{name.replace('_', '-')} goes without --mesh: {why}", 2)


def _up(given: dict[str, Any], session: bool) -> None:
    start(given, lambda settings: _work(settings, session), quiet=session)


@contextlib.contextmanager
def _work(settings: "Settings", session: bool) -> Iterator[Coroutine[Any, Any, None]]:
    from antiphon_server.app import serve

    announcement = _Announcement(settings, session)
    try:
        yield _serve_session(settings, announcement) if session else serve(settings, announcement)
    finally:
        announcement.file.withdraw()


class _Announcement:
    """Says where the server is: to people, to other commands, to a parent process."""

    def __init__(self, settings: "Settings", session: bool) -> None:
        self._settings = settings
        self._session = session
        self.file = ServerFile(settings.data_dir)

    def __call__(self, app: "App") -> None:
        settings, port = self._settings, app.port
        host = settings.host if settings.host not in ("0.0.0.0", "::") else "127.0.0.1"
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        told: dict[str, str | int] = {"address": address}
        page = ""
        if app.web_port is not None:
            page = told["web"] = f"http://{address.rpartition(':')[0]}:{app.web_port}/"
            told["links"] = settings.has_links
        if settings.tls is not None:
            address = told["address"] = f"https://{address}"
            told["certificate"] = str(settings.tls.certificate.absolute())
        if self._session:
            told["session"] = True
        if not settings.registry:  # others find a mesh by its edge
            self.file.write(told)
        if self._session:
            sys.stdout.write(json.dumps({"address": address}) + "\n")
            sys.stdout.flush()
            return
        with contextlib.suppress(OSError):  # `antiphon up 2>&1 | head -1`
            for line in self._lines(address, page):
                announce(line, settings)
            if app.test_password:  # a secret is for people, and for no log
                say(_TEST_USER.format(address=address, password=app.test_password), err=True)
            if not (settings.on_loopback or settings.in_production):
                announce(_EXPOSED, settings, logging.WARNING)

    def _lines(self, address: str, page: str) -> Iterator[str]:
        settings = self._settings
        yield f"Antiphon serves on {address}, data in {settings.data_dir}."
        if settings.log_format == "console":
            yield f"Talk to it with `{self._chat}`; stop it with Ctrl-C."
        if page:
            yield self._page(page)

    @property
    def _chat(self) -> str:
        """What finds this server, wherever its data is."""
        from antiphon_server.settings import default_data_dir

        folder = self._settings.data_dir
        if folder == default_data_dir():
            return "antiphon chat"
        return f"antiphon chat --data-dir {shlex.quote(str(folder))}"

    def _page(self, page: str) -> str:
        """Where the page is. A link that lets one in is shown to a terminal, and to no file."""
        if not self._settings.has_links:
            return f"In a browser: {page}"
        if not sys.stderr.isatty():
            return f"In a browser: {page} (`antiphon web` shows a link that signs you in)"
        from antiphon_server.cli.paths import OPERATOR_FILE
        from antiphon_server.web.links import make_link

        link = make_link((self._settings.data_dir / OPERATOR_FILE).read_text().strip())
        return f"In a browser, signed in (once, within 10 minutes): {page}#link={link}"


async def _serve_session(settings: "Settings", announcement: _Announcement) -> None:
    """Serve until the parent's end of stdin closes, however the parent ended.

    Others who have joined keep the server until the last of them has left.
    """
    from antiphon_server.app import App, serve
    from antiphon_server.cli.guests import any_present

    closed = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(closed), sys.stdin)

    async def all_gone(app: App) -> None:
        await closed.read(-1)

        async def used() -> bool:
            return app.streams() > 0 or await any_present(settings.data_dir)

        for _ in range(_PARENT_LEAVES):  # its own stream takes a moment to end
            await asyncio.sleep(_LOOK_S)
            if not await used():
                return
        with contextlib.suppress(OSError):  # whoever would read it may be gone
            sys.stdout.write(STAYS)
            sys.stdout.flush()
        await _unused(used)

    await serve(settings, announcement, all_gone)


async def _unused(used: Callable[[], Awaitable[bool]]) -> None:
    """Return when nobody has used the server for a while."""
    quiet = 0
    while quiet < _QUIET_LOOKS:
        await asyncio.sleep(_LOOK_S)
        quiet = 0 if await used() else quiet + 1
