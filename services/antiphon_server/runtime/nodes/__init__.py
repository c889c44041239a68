"""The servers that share a database: each has a row there, under a lease that it renews."""

from antiphon_server.runtime.nodes.clocks import ClocksDiffer, ClockWatch
from antiphon_server.runtime.nodes.lease import NameTaken, NodeLease
from antiphon_server.runtime.nodes.neighbours import Neighbours
from antiphon_server.runtime.nodes.secret_mark import OtherSecret, SecretMark
from antiphon_server.runtime.nodes.tables import alive, metadata, nodes

__all__ = [
    "ClockWatch",
    "ClocksDiffer",
    "NameTaken",
    "Neighbours",
    "NodeLease",
    "OtherSecret",
    "SecretMark",
    "alive",
    "metadata",
    "nodes",
]
