"""A flood of logins costs bounded memory, and fails nobody else's calls."""

from pathlib import Path

from tests.auth.flood import MOST_GROWN_BYTES, run


async def test_a_flood_of_logins_is_bounded(tmp_path: Path) -> None:
    """Of 100 at once few are evaluated, the rest told to come back; others' calls are answered.

    What it does to others' times is measured by ``python -m tests.auth.flood``.
    """
    flood = await run(tmp_path, logins=100, rounds=1, seconds=0.5, settle=0.2)
    assert flood.answers.keys() <= {"OVERLOADED", "CREDENTIALS_INVALID"}
    assert min(flood.answers["OVERLOADED"], flood.answers["CREDENTIALS_INVALID"]) > 0
    assert flood.grown_bytes < MOST_GROWN_BYTES
    assert flood.failed == 0
