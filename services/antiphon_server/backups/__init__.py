"""Backups: a copy of all that is stored, made while servers run, and put back."""

from antiphon_server.backups.failure import BackupFailed
from antiphon_server.backups.making import back_up, send_backup
from antiphon_server.backups.manifest import Manifest
from antiphon_server.backups.restoring import check_backup, restore

__all__ = ["BackupFailed", "Manifest", "back_up", "check_backup", "restore", "send_backup"]
