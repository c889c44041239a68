"""The room that masks answers, as the dispatcher is handed it when it is composed."""

from collections.abc import Callable
from typing import TypeAlias

from antiphon_server.dispatcher.masking import Mask, Masking, Masks
from antiphon_server.dispatcher.model import Turn
from antiphon_server.runtime.composition.links import Links

__all__ = ["ComposeMasking", "Mask", "Masking", "Masks", "Turn"]

ComposeMasking: TypeAlias = Callable[[Links], Masks]
"""Puts the room together."""
