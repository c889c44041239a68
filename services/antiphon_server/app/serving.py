"""A server from its start to its end."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

from antiphon_server import hardening
from antiphon_server.app.infrastructure import open_infrastructure
from antiphon_server.app.listening import App, listen
from antiphon_server.app.registering import Membership
from antiphon_server.app.starting import start
from antiphon_server.app.wiring import AnyService, compose
from antiphon_server.hardening.variables import unknown_variables
from antiphon_server.installation import SERVICES
from antiphon_server.runtime.concurrency.tasks import first_of
from antiphon_server.runtime.process.core_dumps import forbid_core_dumps
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.storage.data_dir_lock import exclusive
from antiphon_server.runtime.telemetry.logs import configure_logging
from antiphon_server.settings import Settings

log = logging.getLogger(__name__)


async def serve(
    settings: Settings,
    ready: Callable[[App], None] | None = None,
    until: Callable[[App], Coroutine[Any, Any, object]] | None = None,
) -> None:
    """Run a server until SIGTERM, SIGINT or SIGHUP, or until ``until`` returns.

    A signal is heeded from the beginning. ``ready`` is told once it serves. Raises
    DataDirUnusable, CannotListen, FromTheFuture, Damaged, ExposedFileError,
    UnusableSecretError, SealedByAnother, OtherSecret, UnusableCertificate, Insecure,
    RuntimeError if a vital part crashed, and what ``until`` raises.
    """
    _keep_private(settings)
    _log(settings, settings.errors_in)
    stopping = asyncio.Event()
    with until_told(stopping):
        await first_of([_serve(settings, ready, until), stopping.wait()])


async def _serve(
    settings: Settings,
    ready: Callable[[App], None] | None,
    until: Callable[[App], Coroutine[Any, Any, object]] | None,
) -> None:
    async with running(settings) as app:
        if ready is not None:
            ready(app)
        try:
            await first_of([app.crashed.wait(), *([until(app)] if until is not None else [])])
        finally:
            log.info("stopping; answers under way have up to %g s", settings.drain_grace_s)
    if app.crashed.is_set():
        raise RuntimeError("a vital part crashed; the log says which")


@contextlib.asynccontextmanager
async def running(settings: Settings, known: Sequence[AnyService] = SERVICES) -> AsyncIterator[App]:
    """Run a server for the time of the block, without touching signals or logging.

    It has those of the ``known`` services that the settings name; all of them are the
    installation's.
    """
    for weakness in hardening.insist(settings):
        log.warning("%s", weakness)
    for name in unknown_variables(settings, os.environ):
        log.warning("nothing reads the variable %s", name)
    health = Health()
    with exclusive(settings.data_dir) as data_dir:
        async with Lifecycle(health) as lifecycle:
            infrastructure = await open_infrastructure(settings, data_dir, lifecycle, known)
            services = compose(settings, infrastructure, known)
            settings.rate_limits.check(services.methods())
            password = await start(services, infrastructure, lifecycle, health)
            membership = (
                Membership(settings, infrastructure, lifecycle) if settings.registry else None
            )
            app = await listen(services, settings, infrastructure, lifecycle, health, password)
            if membership is not None:
                await membership.begin(app.port, health)
            yield app


async def serve_mesh_with(
    settings: Settings, exposed: Settings, work: Callable[[], Coroutine[Any, Any, object]]
) -> None:
    """Run the ``work`` of a mesh until SIGTERM, SIGINT or SIGHUP, which cancel it.

    That is so from its beginning. ``exposed`` says what strangers reach. Raises Insecure,
    DataDirUnusable, and what ``work`` raises.
    """
    weaknesses = hardening.insist(exposed)
    _keep_private(settings)
    errors = settings.errors_in
    _log(settings, errors.parent / "mesh" / errors.name if errors else None)
    for weakness in weaknesses:
        log.warning("%s", weakness)
    stopping = asyncio.Event()
    with exclusive(settings.data_dir / "mesh"), until_told(stopping):
        await first_of([work(), stopping.wait()])


def _keep_private(settings: Settings) -> None:
    """Whatever is written is the user's alone, and memory is not written at all."""
    os.umask(0o077)
    if not settings.core_dumps:
        forbid_core_dumps()


def _log(settings: Settings, errors: Path | None) -> None:
    configure_logging(settings.log_level, settings.log_format, settings.log_file, errors)


@contextlib.contextmanager
def until_told(stopping: asyncio.Event) -> Iterator[None]:
    """Set ``stopping`` when somebody wants this process to end."""
    loop = asyncio.get_running_loop()
    numbers = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup antiphon up`
        numbers.append(signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, stopping.set)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
