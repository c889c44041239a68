"""How somebody proves who they are."""

from enum import IntEnum


class LoginMethod(IntEnum):
    """The contract's enum of the same name, without its first value."""

    PASSWORD = 1
    API_KEY = 2
    AUTHORIZATION_CODE = 3
    ID_TOKEN = 4
    DEVICE_CODE = 5
    CLIENT_CREDENTIALS = 6
    SERVICE_ASSERTION = 7
