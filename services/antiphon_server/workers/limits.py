"""The times and sizes of workers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """In seconds, and how many. A lease is that of a turn at a worker, not of a server's.

    A death is noticed when ``back_s`` has gone by behind a lost stream, or ``lease_s`` behind the
    last heartbeat: both are below the 10 s within which the next attempt is to begin.
    """

    heartbeat_s: float = 2.0
    lease_s: float = 8.0
    back_s: float = 5.0
    accept_s: float = 5.0
    unclaimed_s: float = 20.0
    """So long a worker that is there keeps a turn whose server is gone: of one that stands still
    the lease has to run out before others take its turns over, and that takes a moment, too."""
    unserved_s: float = 30.0
    """So long a turn waits while no worker at all serves its handler."""
    sticky_s: float = 0.1
    look_s: float = 0.25
    quarantine_s: float = 30.0
    missed: int = 3
    """So many assigns in a row that a worker does not answer make it quarantined."""
    attempts: int = 5
    """So often a turn is begun at workers that are lost."""
    declines: int = 20
    """So often a turn is given back, or not answered, before it fails."""
    unacknowledged: int = 64
    of_user: int = 64
    of_server: int = 1000
    examples_of_user: int = 16 << 20
    """In bytes, as all examples of handlers lie in memory here; what several workers say counts
    once. One worker says 2 MiB of UTF-8 at most, which may be 9 MiB in memory."""
    examples_of_server: int = 64 << 20
    untold: int = 1024
    """Frames that wait for a worker to read."""


@dataclass(frozen=True, slots=True)
class VersionLimits:
    """How many versions and deployments there may be that are not gone: no more are let in."""

    of_deployment: int = 1000
    """Versions."""
    of_parent: int = 200
    """Deployments; those that have nothing but a rollout are among them."""
    of_installation: int = 2000
    """Deployments."""
    versions: int = 20_000
    """Of an installation: each server has them in memory."""
