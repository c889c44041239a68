"""Names of tools, of arguments and of schemas, out of whatever a document calls them."""

import re
from collections import Counter

from antiphon_server.integration.tools.untrusted import alike

LONGEST_TOOL = 88
LONGEST_ARGUMENT = 60
LONGEST_READ = 1_000
_OTHER = re.compile(r"[^A-Za-z0-9_.-]+")
_BETWEEN = re.compile(r"[^A-Za-z0-9]+")


class Names:
    """Makes names that nobody takes for each other: the second `list` is `list_2`."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._taken: set[str] = set()
        self._counts = Counter[str]()

    def new(self, wanted: str, otherwise: str = "") -> str:
        """A name like the one that is wanted; ``otherwise`` is tried before numbers are."""
        name = self._spelled(wanted)
        if otherwise and alike(name) in self._taken:
            name = self._spelled(otherwise)
        plain = name
        while alike(name) in self._taken:
            self._counts[plain] += 1
            name = f"{plain}_{self._counts[plain] + 1}"
        self._taken.add(alike(name))
        return name

    def _spelled(self, wanted: str) -> str:
        return _OTHER.sub("_", wanted[:LONGEST_READ])[: self._longest] or "_"


def derived(method: str, path: str) -> str:
    """The name of an operation that has none: `get_users_id` for GET /users/{id}."""
    return "_".join((method, *filter(None, _BETWEEN.split(path))))
