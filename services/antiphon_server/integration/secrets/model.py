"""What is known of a secret."""

from dataclasses import dataclass
from typing import NewType

SecretName = NewType("SecretName", str)
MOST_SECRETS = 100
"""Of one workspace."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What is shown of a secret: never its value. Times in microseconds since 1970."""

    name: SecretName
    created: int
    updated: int
