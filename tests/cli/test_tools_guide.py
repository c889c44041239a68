"""docs/guides/tools.md, done as it says."""

import pytest

from antiphon_server.runtime.errors import Reason
from tests.cli.conftest import Home
from tests.e2e.readme import commands, run
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "tools.md"


def test_its_commands_do_what_it_says(home: Home) -> None:
    """The first call, and rules that are listed as they were said."""
    first = run(commands("first", GUIDE), home.environment)
    assert [ran.exit_code for ran in first] == [0, 0, 0], first
    assert "antiphon.search" in first[1].output
    assert '"zone": "Asia/Tokyo"' in first[2].output
    rules = run(commands("rules", GUIDE), home.environment)
    assert [ran.exit_code for ran in rules] == [0] * 4, rules
    listed = {line.split()[0]: line.split()[1] for line in rules[2].output.splitlines() if line}
    assert (listed["antiphon.time"], listed["antiphon.search"]) == ("ask", "never")
    held = run(commands("held", GUIDE), home.environment)
    assert [ran.exit_code for ran in held] == [0, 0], held


@pytest.mark.parametrize("reason", [it for it in Reason if it.startswith("TOOL_")])
def test_every_reason_is_told(reason: Reason) -> None:
    """Whoever meets one finds what it means."""
    assert f"| `{reason.value}` |" in GUIDE.read_text()
