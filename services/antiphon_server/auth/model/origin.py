"""How and from where somebody signs in."""

from dataclasses import dataclass
from enum import IntEnum


class LoginMethod(IntEnum):
    """How somebody proves who they are; the contract's values."""

    UNSPECIFIED = 0
    PASSWORD = 1
    API_KEY = 2
    AUTHORIZATION_CODE = 3
    ID_TOKEN = 4
    DEVICE_CODE = 5
    CLIENT_CREDENTIALS = 6
    SERVICE_ASSERTION = 7


@dataclass(frozen=True, slots=True)
class Origin:
    """A sign-in: by what, with which device, from which address, vouched for by whom.

    ``address`` is an IPv4 address or the network of an IPv6 address, empty inside the process;
    ``provider`` is an identity provider's name in the settings, empty for other methods.
    """

    method: LoginMethod
    device: str = ""
    address: str = ""
    provider: str = ""
