"""What the checks have to know beside the settings, read from the machine once."""

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from antiphon_server.auth.adapters.secret_files import ExposedFileError
from antiphon_server.auth.adapters.server_secret import (
    UnusableSecretError,
    given_secret,
    guessable,
)
from antiphon_server.hardening.variables import unknown_variables
from antiphon_server.settings import Settings

PRIVATE = 0o077
"""The permission bits that nobody but the owner may have."""
GROUP_READS = 0o040
"""What the group of a file of root's may have: how an orchestrator hands keys to a process that is
not root, and what Postgres lets pass for its key, too."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The machine's state: times in Unix seconds, open files as ``path (mode)``."""

    open_folders: tuple[str, ...] = ()
    open_files: tuple[str, ...] = ()
    secret_inside: bool = False
    secret_wrong: str = ""
    unknown_variables: tuple[str, ...] = ()
    certificate_ends: float | None = None
    now: float = 0.0
    root: bool = False


def facts_of(settings: Settings) -> Facts:
    """Read them. What does not exist or can't be read is left to the start to complain about."""
    return Facts(
        open_folders=tuple(_open([settings.data_dir])),
        open_files=tuple(_open(_secret_files(settings))),
        secret_inside=_secret_inside(settings),
        secret_wrong=_secret_wrong(settings),
        unknown_variables=tuple(unknown_variables(settings, os.environ)),
        certificate_ends=_certificate_ends(settings.tls_cert),
        now=time.time(),
        root=os.geteuid() == 0,
    )


def _secret_inside(settings: Settings) -> bool:
    """Whether the secret is in the folder whose data it protects."""
    if settings.secret_key is not None:
        return False
    path = settings.secret_key_file
    return path is None or path.resolve().is_relative_to(settings.data_dir.resolve())


def _secret_wrong(settings: Settings) -> str:
    try:
        secret = given_secret(settings.secret_text, settings.secret_key_file)
    except ExposedFileError:
        return ""  # that is said of all files
    except (OSError, UnusableSecretError) as error:
        return str(error)
    weak = secret is not None and guessable(secret)
    return "the installation's secret can be guessed" if weak else ""


def _secret_files(settings: Settings) -> list[Path]:
    named = [settings.secret_key_file, settings.tls_key]
    return [*(path for path in named if path), *sorted(settings.data_dir.glob("*.key"))]


def _open(paths: list[Path]) -> Iterator[str]:
    """Those that others may read or change."""
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        if is_open(status.st_mode, status.st_uid, os.geteuid()):
            yield f"{path} (mode {stat.S_IMODE(status.st_mode):04o})"


def is_open(mode: int, owner: int, user: int) -> bool:
    """Whether others than ``owner`` may read or change what ``user`` uses."""
    handed_by_root = stat.S_ISREG(mode) and owner == 0 != user
    return bool(mode & PRIVATE & ~(GROUP_READS if handed_by_root else 0))


def _certificate_ends(path: Path | None) -> float | None:
    if path is None:
        return None
    from cryptography.x509 import load_pem_x509_certificate

    try:
        return load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc.timestamp()
    except (OSError, ValueError):
        return None
