"""Enums of the contract's to which a newer server may have appended values."""

from enum import IntEnum
from typing import Any


class OpenIntEnum(IntEnum):
    """One whose unknown numbers are kept as they are; they equal no known value."""

    @classmethod
    def _missing_(cls, value: object) -> Any:
        if not isinstance(value, int):
            return None
        unknown = int.__new__(cls, value)
        unknown._name_, unknown._value_ = f"UNKNOWN_{value}", value
        return unknown

    @property
    def known(self) -> bool:
        """Whether this version defines it."""
        return self._name_ in type(self).__members__
