"""Detectors, as the commands that all rules have speak of them."""

from typing import TYPE_CHECKING

from antiphon_server.cli.rules.about import About

if TYPE_CHECKING:
    from antiphon.context.v1.anomaly_pb2 import Detector
    from antiphon_server.cli.rules.kind import Kind


def _load() -> "Kind[Detector]":
    from antiphon_server.cli.flags.detectors.rules import DETECTORS

    return DETECTORS


DETECTORS = About(
    command="flags detectors",
    one="detector",
    many="detectors",
    load=_load,
    none="add NAME --kind rate` adds one",
    shown="Show the detectors: whom they watch, for what, from when on, and what a flag of theirs "
    "does.\n\nWhat is said in a workspace is seen by its own, and by those of all workspaces.",
    holds="They stand on all servers within a second.",
    behind="Those that keep their name, subject and kind go on counting, and their flags do what "
    "they say then once their subject goes on.",
    why="60 a minute was too few",
    why_not="4 flagged too many",
)
