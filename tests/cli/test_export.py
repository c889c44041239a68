"""``antiphon export``: a person's own copy is a file that they alone can read."""

import json
from pathlib import Path

from tests.cli.conftest import Run


def test_a_copy_is_private_and_has_the_profile(antiphon: Run, tmp_path: Path) -> None:
    """Also where a file was there that others could read; what is set nowhere is no line."""
    file = tmp_path / "mine.jsonl"
    file.write_text("old\n")
    file.chmod(0o644)
    assert "0 profiles" in antiphon("export", "person", str(file)).stdout
    assert file.stat().st_mode & 0o777 == 0o600
    antiphon("profile", "set", "name", "Marta")
    assert "1 profiles" in antiphon("export", "person", str(file)).stdout
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    (profile,) = [it["profile"] for it in lines if "profile" in it]
    assert profile["call_name"] == "Marta"


def test_a_file_that_can_not_be_written_is_a_sentence(antiphon: Run, tmp_path: Path) -> None:
    """With what is wrong about it."""
    for where in (tmp_path, tmp_path / "nowhere" / "x.jsonl"):
        told = antiphon("export", "person", str(where))
        assert told.returncode == 1
        assert told.stderr.startswith(f"antiphon: {where} can't be written: ")
        assert told.stderr.count("\n") == 1
