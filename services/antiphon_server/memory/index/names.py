"""Numbers for strings that occur often, such as kinds and speakers."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


class Names:
    """A number for each name that is in use; one that nothing uses any more is forgotten."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._uses: dict[int, int] = {}
        self._free: list[int] = []  # as many as were in use at most

    def __contains__(self, name: str) -> bool:
        return name in self._numbers

    def use(self, name: str) -> int:
        """The name's number, in use once more."""
        number = self._numbers.get(name)
        if number is None:
            number = self._free.pop() if self._free else len(self._numbers)
            self._numbers[name], self._names[number], self._uses[number] = number, name, 0
        self._uses[number] += 1
        return number

    def release(self, number: int) -> None:
        """The number is in use once less."""
        self._uses[number] -= 1
        if not self._uses[number]:
            del self._numbers[self._names.pop(number)], self._uses[number]
            self._free.append(number)

    def where(self, test: Callable[[str], bool]) -> NDArray[np.bool_]:
        """By number whether the name passes the test; False for numbers that are not in use."""
        passing = np.zeros(len(self._numbers) + len(self._free) + 1, np.bool_)
        passing[[number for name, number in self._numbers.items() if test(name)]] = True
        return passing
