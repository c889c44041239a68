"""``antiphon audit verify``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antiphon_server.cli.console import CommandError, aside, fail, print_json, run, say
from antiphon_server.cli.kinds import name_of
from antiphon_server.cli.options import Address, DataDir, Json

if TYPE_CHECKING:
    from antiphon_server.cli.audit.check import Checked


def verify(
    file: Annotated[
        Path | None, typer.Argument(help="An export; it is verified without a server.")
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(
            "--keys", metavar="FILE", help="Trust only these public keys, as GetJwks answered."
        ),
    ] = None,
    server: Annotated[
        bool,
        typer.Option(
            "--server",
            help="Let the server verify what it has, against the export's head if given.",
        ),
    ] = False,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Prove that security events are complete and unchanged, or say which one is not.

    For example:

    - `antiphon audit verify events.jsonl`
    - `antiphon audit verify events.jsonl --keys jwks.json`
    - `antiphon audit verify --server`
    - `antiphon audit verify events.jsonl --server` (is the server's history still the file's?)
    """
    if file is None and not server:
        fail("name a file, or say --server; `antiphon audit verify --help` shows examples.", 2)
    signature = run(_verify_file(file, keys, json)) if file is not None else ""
    if server:
        run(_verify_server(signature, json, address, data_dir))


async def _verify_file(file: Path, keys: Path | None, json: bool) -> str:
    from antiphon_server.cli.audit.check import check, keys_in

    checked = check(file, keys_in(keys) if keys else None)
    if json:
        print_json(_found(file, checked))
    if checked.problem:
        raise CommandError(
            f"{file}, line {checked.line}: {checked.problem}.{_sound(checked.verified)}"
        )
    if not json:
        say(f"{file}: all {checked.verified:,} events are complete and unchanged")
    if checked.own_keys:
        aside("· by the keys in the file itself; --keys compares them with those that you kept")
    return checked.signature


def _found(file: Path, checked: "Checked") -> dict[str, Any]:
    return {
        "file": str(file),
        "ok": not checked.problem,
        "line": checked.line,
        "problem": checked.problem,
        "verified": checked.verified,
    }


async def _verify_server(signature: str, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon.auth.v1.audit_service_pb2 import AuditFault
    from antiphon_server.auth.model import audit
    from antiphon_server.cli.audit.check import SENTENCES
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        verdict = await client.verify_security_events(signature)
    if json:
        fault = name_of(AuditFault, "AUDIT_FAULT_", verdict.fault)
        print_json(
            {
                "ok": not verdict.fault,
                "fault": fault if verdict.fault else "",
                "sequence": verdict.fault_sequence,
                "verified": verdict.verified,
            }
        )
    if verdict.fault:
        problem = SENTENCES[audit.AuditFault(verdict.fault)]
        raise CommandError(
            f"the server's event {verdict.fault_sequence}: {problem}.{_sound(verdict.verified)}"
        )
    if not json:
        behind = "it goes on from the file's head" if signature else "no head was compared"
        say(f"the server's {verdict.verified:,} events are complete and unchanged; {behind}")


def _sound(events: int) -> str:
    return f" The {events:,} events before it are in order." if events else ""
