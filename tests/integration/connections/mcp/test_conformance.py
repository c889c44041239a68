"""The official conformance package, on our client."""

from pathlib import Path

import pytest

from tests import npm
from tests.integration.connections.mcp import conformance

SUMMARY = """
✓ tools_call: 1 passed, 0 failed
✓ initialize: 0 passed, 0 failed
✗ sse-retry: 3 passed, 1 failed
✗ auth/late: 3 passed, 0 failed
✓ auth/dpop: 4 passed, 0 failed

Not scored for 2026-07-28: 1 scenario(s) run, 0 failing.
  ✓ auth/dpop (extension)
"""


def test_what_made_no_check_counts_as_failed() -> None:
    """A scenario passes with a check that passed and none that failed; extensions stand beside."""
    judged = conformance.judged("2026-07-28", SUMMARY)
    assert judged.failed == ["initialize", "sse-retry", "auth/late"]
    assert judged.required["tools_call"]
    assert judged.beside == {"auth/dpop": True}
    assert str(judged).startswith("2026-07-28: 1 of 32\n")


@pytest.mark.needs("npm")
@pytest.mark.proof
@pytest.mark.timeout(1200)
def test_every_required_scenario_of_both_revisions_passes(tmp_path: Path) -> None:
    """32 of 32 and 18 of 18."""
    npm.install(tmp_path, conformance.PACKAGES)
    for revision, required in conformance.REVISIONS.items():
        score = conformance.score(tmp_path, revision)
        assert not score.failed, score
        assert len(score.required) == required
