"""Files of a server's data are its user's, whoever runs a command."""

import os
from pathlib import Path

from antiphon_server.backups.failure import BackupFailed
from antiphon_server.runtime.storage.ownership import not_ours, user_of


def become_owner_of(folder: Path) -> None:
    """Go on as the folder's owner, if this is root; else nobody else's can be used.

    Raises BackupFailed.
    """
    if os.geteuid() == 0 and folder.exists():
        status = folder.stat()
        if status.st_uid != 0:
            _become(status.st_uid, status.st_gid)
    if whose := not_ours(folder):
        us = user_of(os.geteuid())
        raise BackupFailed(f"{whose}; or, if {us} is not who the server runs as, run this as that")


def _become(user: int, group: int) -> None:
    try:
        os.setgroups([group])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    except OSError as error:
        raise BackupFailed(f"this can't go on as {user_of(user)}: {error.strerror}") from error
