"""What a crowd of stalled readers may cost is judged, and that they were there to cost it."""

from dataclasses import replace

from tests.proofs.robustness.crowd import MOST_GROWN_BYTES, Crowd, Pair

FINE = Crowd(5, pairs=[Pair([10.0], [10.0])], exit_s=4.0)


def test_a_crowd_is_judged() -> None:
    """Memory, time, a slow or bad end, a log line, and stalled readers who were let go: each."""
    assert FINE.wrong == []
    for wrong in (
        replace(FINE, crowded_bytes=MOST_GROWN_BYTES + 1),
        replace(FINE, pairs=[Pair([10.0], [12.0])]),
        replace(FINE, exit_s=60.0),
        replace(FINE, exit_code=3),
        replace(FINE, defects=["Traceback"]),
        replace(FINE, given_up=1),
    ):
        assert len(wrong.wrong) == 1
