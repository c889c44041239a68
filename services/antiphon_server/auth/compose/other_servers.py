"""The servers that share auth's stores."""

from dataclasses import dataclass, field

from antiphon_server.auth.adapters.memory_messenger import MemoryMessenger
from antiphon_server.auth.ports.messenger import RevocationMessenger
from antiphon_server.auth.service.local_operator import Living, nobody
from antiphon_server.runtime.cache.cache import MemoryCache
from antiphon_server.runtime.cache.known_names import KnownNames
from antiphon_server.runtime.profiles.known import KnownProfiles


@dataclass(frozen=True, slots=True)
class OtherServers:
    """Those that may share the stores, if there are ``several``; by default there are none.

    They hear of revocations by ``messenger``. ``node`` names this server among them, ``living``
    says which of them run. ``names`` and ``profiles`` are those that other services
    remember.
    """

    several: bool = False
    messenger: RevocationMessenger = field(default_factory=MemoryMessenger)
    node: str = ""
    living: Living = nobody
    names: KnownNames = field(default_factory=lambda: KnownNames(MemoryCache()))
    profiles: KnownProfiles = field(default_factory=lambda: KnownProfiles(MemoryCache()))
