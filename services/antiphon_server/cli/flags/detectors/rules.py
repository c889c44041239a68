"""Detectors as commands speak of them."""

from antiphon.context.v1.anomaly_pb2 import Detector, Detectors
from antiphon_server.cli.routes.options import these
from antiphon_server.cli.rules.file import written
from antiphon_server.cli.rules.kind import Kind

_WRITTEN = {
    "name": "is no detector's name: write small letters, digits and -, a letter first (at most 64)"
}
DETECTORS = Kind(Detector, "detector", "detectors", "flags detectors", _WRITTEN)


def as_file(detectors: Detectors) -> str:
    """Them as a file that `set` takes."""
    said = f"# Detectors {these(detectors.parent)}, revision {detectors.revision}."
    return written(DETECTORS, said, detectors.detectors)
