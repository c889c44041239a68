"""Detectors of a newer server see nothing here, and hold up no other."""

import pytest

from antiphon.context.v1 import anomaly_pb2
from antiphon_server.anomalies.detecting import Detecting, Memories
from antiphon_server.anomalies.encoding import detector_message, detector_of
from antiphon_server.anomalies.model import Detector, Newer, Rate, Sign, Signal
from antiphon_server.runtime.revisions.model import GLOBAL
from tests.fakes.newer import VALUE, newer

SAID = Signal(Sign.SAID, 1.0, "users/user_00000ann")


def of_a_newer_server(**said: object) -> Detector:
    """A detector as this server reads it."""
    message = newer("context.v1.Detector")(name="new", **said)
    if "rate" not in said:
        message.newer.text = "of the kind"
    return detector_of(anomaly_pb2.Detector.FromString(message.SerializeToString()))


@pytest.mark.parametrize("said", [{}, {"subject": VALUE, "rate": {"most": 1}}])
def test_what_is_not_known_sees_nothing(said: dict[str, object]) -> None:
    """What is of an unknown kind, or of unknown subjects; the next one sees all the same."""
    ready = Detecting(GLOBAL, 1, [of_a_newer_server(**said), Detector("old", Rate(most=1))])
    found = [it for _ in range(3) for it in ready.see(Memories(), SAID)]
    assert {it.name for _, it, _ in found} == {"old"}


def test_an_effect_that_is_not_known_is_none_here() -> None:
    """It is kept and told as it is."""
    it = of_a_newer_server(effect=VALUE)
    assert not it.effect.known
    assert detector_message(it).effect == VALUE
    assert it.kind == Newer()
