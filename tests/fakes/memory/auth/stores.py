"""The stores of identity in memory."""

from antiphon_server.auth.ports import Stores
from tests.fakes.memory.auth.api_keys import MemoryApiKeys
from tests.fakes.memory.auth.attempts import MemoryAttempts
from tests.fakes.memory.auth.device_logins import MemoryDeviceLogins
from tests.fakes.memory.auth.expiring import MemoryExpiring
from tests.fakes.memory.auth.identities import MemoryIdentities
from tests.fakes.memory.auth.password_resets import MemoryPasswordResets
from tests.fakes.memory.auth.rows import MemoryRows
from tests.fakes.memory.auth.sessions import MemorySessions
from tests.fakes.memory.auth.signing_keys import MemorySigningKeys
from tests.fakes.memory.auth.users import MemoryUsers


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
