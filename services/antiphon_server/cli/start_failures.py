"""Why a server did not start -> a sentence that says what to do."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from antiphon_server.app import DATABASE_FILE
from antiphon_server.app.replicas import DidNotComeUp
from antiphon_server.auth.adapters.hash_file import UnusableHashFileError
from antiphon_server.auth.adapters.secret_files import ExposedFileError
from antiphon_server.auth.adapters.server_secret import UnusableSecretError
from antiphon_server.auth.service.signing_keys import SealedByAnother
from antiphon_server.cli.server_file import told_in
from antiphon_server.hardening import Insecure
from antiphon_server.mesh.envoy.binary import EnvoyMissing
from antiphon_server.mesh.envoy.process import EnvoyDidNotStart
from antiphon_server.runtime.configuration import WrongSetting
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.tls import UnusableCertificate
from antiphon_server.runtime.nodes import ClocksDiffer, NameTaken, OtherSecret
from antiphon_server.runtime.rpc.server import CannotListen
from antiphon_server.runtime.storage.damage import Damaged, is_damage
from antiphon_server.runtime.storage.data_dir_lock import DataDirUnusable, InUse
from antiphon_server.runtime.storage.database import DatabaseUnusable
from antiphon_server.runtime.storage.migrations import FromTheFuture
from antiphon_server.runtime.storage.ownership import not_ours
from antiphon_server.runtime.storage.transfer.failure import TransferFailed
from antiphon_server.runtime.telemetry.tracing import TracingUnavailable
from antiphon_server.stores.local_store import StoreDidNotStart
from antiphon_server.stores.programs import StoresMissing
from antiphon_server.web.pages import NoPages

if TYPE_CHECKING:
    from antiphon_server.settings import Settings

_SAY_IT_ALL = (
    ClocksDiffer,
    NameTaken,
    StoresMissing,
    StoreDidNotStart,
    DatabaseUnusable,
    DataDirUnusable,
    TransferFailed,
    TracingUnavailable,
    ExposedFileError,
    UnusableSecretError,
    UnusableCertificate,
    UnusableHashFileError,
    Insecure,
    WrongSetting,
    DidNotComeUp,
    EnvoyDidNotStart,
    EnvoyMissing,
    NoPages,
)
_MAY_PASS = (
    CannotListen,
    ClocksDiffer,
    NameTaken,
    InUse,
    DatabaseUnusable,
    StoreDidNotStart,
    DidNotComeUp,
    EnvoyDidNotStart,
    DomainError,
    OSError,
)
_OF_A_COMMAND = (
    "{1}. It is one that a command has started (process {0}), and ends with the last one that uses "
    "it: leave the other `antiphon chat`, and start again"
)
_OTHER_SECRET = (
    "the data was written with another secret than this one. Give the one of then as "
    "ANTIPHON_SECRET_KEY, ANTIPHON_SECRET_KEY_FILE or auth.key in the data folder. If it is lost, "
    "start once without any of them: a new auth.key is made, and everybody has to sign in again"
)
_OTHER_SECRET_OF_SEVERAL = (
    "the data in the database was written with another secret than this server's. Give all "
    "servers the same ANTIPHON_SECRET_KEY (or ANTIPHON_SECRET_KEY_FILE); if the first one has "
    "none, its own is in auth.key in its data folder. If it is lost, `DELETE FROM "
    "runtime_secret_marks; DELETE FROM auth_signing_keys`: everybody has to sign in again"
)


def why_not(error: Exception, settings: "Settings") -> str | None:
    """The sentence; None for a defect, whose traceback is of use."""
    match error:
        case CannotListen():
            return _port_taken(error, settings)
        case FromTheFuture():
            return "the data was written by a newer version of Antiphon; use that one"
        case OtherSecret():
            return _OTHER_SECRET_OF_SEVERAL
        case SealedByAnother():
            return _OTHER_SECRET_OF_SEVERAL if settings.shares_store else _OTHER_SECRET
        case DomainError(reason=Reason.ALREADY_EXISTS, metadata={"resource": "users/test"}):
            return "there is an account `test` that is somebody's own; leave --test-user away"
        case DomainError(reason=Reason.STORE_UNAVAILABLE):
            return _store_failed(error.__cause__, settings)
        case Damaged():
            return _damaged(str(error), settings)
        case InUse() if told_in(settings.data_dir).get("session"):
            return _OF_A_COMMAND.format(told_in(settings.data_dir).get("pid"), error)
        case _ if isinstance(error, _SAY_IT_ALL):
            return str(error)
        case OSError():
            return _of_the_system(error)
    return None


def code_of(error: Exception) -> int:
    """The exit code: 2 if it fails again until somebody has done something, as for a wrong option.

    1 may mend itself: a port, a store or a clock that another start finds as it should be. The
    guides' units name 2 in RestartPreventExitStatus.
    """
    return 1 if isinstance(error, _MAY_PASS) and not _lasts(error) else 2


def _lasts(error: Exception) -> bool:
    """Of a class whose others pass."""
    if isinstance(error, DomainError) and error.reason is not Reason.STORE_UNAVAILABLE:
        return True
    return isinstance(error, PermissionError) or is_damage(error.__cause__)


def _port_taken(error: CannotListen, settings: "Settings") -> str:
    if error.setting:
        return f"{error}; choose another {error.setting}"
    if error.address == f"{settings.admin_host}:{settings.admin_port}":
        return f"{error}; it is the port for metrics: choose another --admin-port, 0 for a free one"
    return f"{error}; choose another --port, 0 for a free one, or another --host"


def _of_the_system(error: OSError) -> str:
    why = error.strerror or str(error)
    if not error.filename:
        return why
    path = Path(os.fsdecode(error.filename))
    return (not_ours(path) if isinstance(error, PermissionError) else "") or f"{path}: {why}"


def _store_failed(cause: BaseException | None, settings: "Settings") -> str:
    found = getattr(cause, "orig", None) or cause
    if settings.database_url is not None:
        return f"Postgres does not answer as it should ({found}); see ANTIPHON_DATABASE_URL"
    if is_damage(cause):
        return _damaged(str(found), settings)
    return f"the disk refuses the data ({found}): it is full, read-only or failing"


def _damaged(how: str, settings: "Settings") -> str:
    path = settings.data_dir / DATABASE_FILE
    return (
        f"{path} is damaged ({how}). Put a backup back (`antiphon restore`), or save what can be "
        f"read with `sqlite3 {path} .recover`; with another --data-dir one begins anew"
    )
