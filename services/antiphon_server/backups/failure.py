"""Why a backup could not be made or put back."""


class BackupFailed(Exception):
    """Nothing was made or changed; the message says why and what to do."""
