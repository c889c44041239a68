"""The stores of identity in a database, one file per noun."""

from antiphon_server.auth.adapters.sql.api_keys import SqlApiKeys
from antiphon_server.auth.adapters.sql.attempts import SqlAttempts
from antiphon_server.auth.adapters.sql.device_logins import SqlDeviceLogins
from antiphon_server.auth.adapters.sql.endings import SqlEndings
from antiphon_server.auth.adapters.sql.expiring import SqlExpiring
from antiphon_server.auth.adapters.sql.identities import SqlIdentities
from antiphon_server.auth.adapters.sql.password_resets import SqlPasswordResets
from antiphon_server.auth.adapters.sql.places import SqlPlaces
from antiphon_server.auth.adapters.sql.profiles import SqlProfiles
from antiphon_server.auth.adapters.sql.requests import SqlRequests
from antiphon_server.auth.adapters.sql.security_events import SqlSecurityEvents
from antiphon_server.auth.adapters.sql.sessions import SqlSessions
from antiphon_server.auth.adapters.sql.signing_keys import SqlSigningKeys
from antiphon_server.auth.adapters.sql.users import SqlUsers
from antiphon_server.auth.ports import Stores
from antiphon_server.runtime.storage.database import Database


def sql_stores(database: Database) -> Stores:
    """All stores on one database, whose tables exist."""
    return Stores(
        users=SqlUsers(database),
        requests=SqlRequests(database),
        sessions=SqlSessions(database),
        endings=SqlEndings(database),
        expiring=SqlExpiring(database),
        api_keys=SqlApiKeys(database),
        signing_keys=SqlSigningKeys(database),
        attempts=SqlAttempts(database),
        security_events=SqlSecurityEvents(database),
        places=SqlPlaces(database),
        password_resets=SqlPasswordResets(database),
        device_logins=SqlDeviceLogins(database),
        identities=SqlIdentities(database),
        profiles=SqlProfiles(database),
    )


__all__ = ["sql_stores"]
