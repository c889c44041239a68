"""docs/guides/secrets.md, done as it says."""

from tests.cli.conftest import Home
from tests.e2e.readme import commands, run
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "secrets.md"
CANARY = "c4nary-of-the-guide"


def test_its_commands_do_what_it_says(home: Home) -> None:
    """Stored, used, changed, missed and sealed anew; nothing that is printed has a value."""
    told = {**home.environment, "WIKI_TOKEN": CANARY, "NEW_TOKEN": f"{CANARY}-anew"}
    stored = run(commands("store", GUIDE), told)
    assert [ran.exit_code for ran in stored] == [0] * 4, stored
    assert "wiki-token" in stored[3].output
    assert stored[3].output.split()[-1] == "wiki"
    rotated = run(commands("rotate", GUIDE), told)
    assert "the keys of 1 secrets" in rotated[0].output, rotated
    changed = run(commands("change", GUIDE), told)
    assert [ran.exit_code for ran in changed] == [0, 0, 1], changed
    assert "used by wiki" in changed[0].output
    assert "`antiphon secrets put wiki-token`" in changed[2].output.replace("uv run ", "")
    assert CANARY not in str([stored, rotated, changed])
