"""Detectors as commands speak of them."""

from antiphon.context.v1.anomaly_pb2 import Detector
from antiphon_client import Client
from antiphon_server.cli.flags.detectors.about import DETECTORS as ABOUT
from antiphon_server.cli.flags.detectors.words import HEADINGS, row_of
from antiphon_server.cli.rules.kind import Kind

_WRITTEN = {
    "name": "is no detector's name: write small letters, digits and -, a letter first (at most 64)"
}
DETECTORS = Kind(
    ABOUT,
    Detector,
    _WRITTEN,
    Client.get_detectors,
    Client.set_detectors,
    Client.list_detector_revisions,
    HEADINGS,
    row_of,
)
