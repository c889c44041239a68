"""The stores of identity in memory: for tests and for servers that keep nothing."""

from antiphon_server.auth.adapters.memory_api_keys import MemoryApiKeys
from antiphon_server.auth.adapters.memory_attempts import MemoryAttempts
from antiphon_server.auth.adapters.memory_device_logins import MemoryDeviceLogins
from antiphon_server.auth.adapters.memory_expiring import MemoryExpiring
from antiphon_server.auth.adapters.memory_identities import MemoryIdentities
from antiphon_server.auth.adapters.memory_password_resets import MemoryPasswordResets
from antiphon_server.auth.adapters.memory_rows import MemoryRows
from antiphon_server.auth.adapters.memory_sessions import MemorySessions
from antiphon_server.auth.adapters.memory_signing_keys import MemorySigningKeys
from antiphon_server.auth.adapters.memory_users import MemoryUsers
from antiphon_server.auth.ports import Stores


def memory_stores() -> Stores:
    """Empty stores."""
    rows = MemoryRows()
    users, device_logins = MemoryUsers(rows), MemoryDeviceLogins(rows.trail)
    return Stores(
        users=users,
        requests=rows.requests,
        sessions=MemorySessions(rows, device_logins),
        endings=rows.endings,
        expiring=MemoryExpiring(lambda: rows.sessions),
        api_keys=MemoryApiKeys(rows),
        signing_keys=MemorySigningKeys(rows),
        attempts=MemoryAttempts(),
        security_events=rows.trail,
        places=rows.places,
        password_resets=MemoryPasswordResets(rows.trail, rows.requests),
        device_logins=device_logins,
        identities=MemoryIdentities(rows, users),
    )
