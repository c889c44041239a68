"""Finds blocking calls of the server's code on an event loop."""

import functools
import importlib
import sys
from collections.abc import Callable, Collection
from types import FrameType

from blockbuster import BlockBuster


def watching(
    package: str, may_block: Collection[tuple[str, str]], harmless: Collection[str]
) -> BlockBuster:
    """What raises BlockingError for a package's calls once its functions are activated.

    ``may_block`` are ends of files with functions, in which anything may block; ``harmless``
    are calls that wait for nothing. The library looks through all of that for each frame of
    each call; here it is remembered for each function whether it is meant.
    """
    blockbuster = BlockBuster(package)
    folder = importlib.import_module(package).__path__[0]

    @functools.cache
    def kind(file: str, function: str) -> bool | None:
        """True in what may block, False elsewhere in the package, None outside of it."""
        if any(file.endswith(end) and function == name for end, name in may_block):
            return True
        return False if file.startswith(folder) else None

    def allowed() -> bool:
        """Whether the call under way is not the package's, or is from where one may block."""
        frame: FrameType | None = sys._getframe(2)
        outside = True
        while frame is not None:
            found = kind(frame.f_code.co_filename, frame.f_code.co_name)
            if found:
                return True
            outside = outside and found is None
            frame = frame.f_back
        return outside

    for function in blockbuster.functions.values():
        function.can_block_predicate = _either(function.can_block_predicate, allowed)
    for name in harmless:
        blockbuster.functions.pop(name, None)
    return blockbuster


def _either(predicate: Callable[..., bool], allowed: Callable[[], bool]) -> Callable[..., bool]:
    return lambda *args, **kwargs: predicate(*args, **kwargs) or allowed()
