"""Variables from a file, in development."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from antiphon_server.cli.console import CommandError
from antiphon_server.cli.env_file import take_env_file
from antiphon_server.cli.main import app

FULL = """
# of this machine
ANTIPHON_PORT=7777   # not the usual one
export ANTIPHON_MODEL='openai/gpt 4.1'
OPENAI_API_KEY="sk-#1'2"
ANTIPHON_MODELS=[{"name": "x/y", "kind": "openai"}]
EMPTY=
"""


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    (folder / ".env").write_text(text)
    (folder / ".env").chmod(mode)
    return folder


def test_it_sets_what_the_environment_does_not(tmp_path: Path) -> None:
    """The environment wins; quotes and comments are those of shells."""
    environment = {"ANTIPHON_PORT": "1"}
    names = take_env_file(written(tmp_path, FULL), environment)
    assert names == ("ANTIPHON_MODEL", "OPENAI_API_KEY", "ANTIPHON_MODELS", "EMPTY")
    assert environment == {
        "ANTIPHON_PORT": "1",
        "ANTIPHON_MODEL": "openai/gpt 4.1",
        "OPENAI_API_KEY": "sk-#1'2",
        "ANTIPHON_MODELS": '[{"name": "x/y", "kind": "openai"}]',
        "EMPTY": "",
    }


def test_a_comment_is_not_the_value(tmp_path: Path) -> None:
    """It begins behind a blank: a # inside of a value is one."""
    environment: dict[str, str] = {}
    take_env_file(written(tmp_path, "A=7777   # not the usual one\nB=a#b\n"), environment)
    assert environment == {"A": "7777", "B": "a#b"}


@pytest.mark.parametrize(
    "line", ["ANTIPHON_HOST = x", "A='x", 'A="x" y', "A", "1A=x", "A= x", "A=x\0y"]
)
def test_what_sets_nothing_is_told(tmp_path: Path, line: str) -> None:
    """With its line, as a misspelt setting would be missed in silence."""
    with pytest.raises(CommandError, match="line 2: write NAME=value"):
        take_env_file(written(tmp_path, f"B=1\n{line}\n"), {})


def test_a_mark_of_its_encoding_is_no_part_of_it(tmp_path: Path) -> None:
    """Some editors begin a file with one, which nobody sees."""
    environment: dict[str, str] = {}
    take_env_file(written(tmp_path, "\ufeffA=1\n"), environment)
    assert environment == {"A": "1"}


def test_there_is_none_in_production(tmp_path: Path) -> None:
    """It is not read, whatever is in it, and can't say that it is production."""
    environment = {"ANTIPHON_ENV": "production"}
    assert take_env_file(written(tmp_path, "no line"), environment) == ()
    assert environment == {"ANTIPHON_ENV": "production"}
    with pytest.raises(CommandError, match="it is for development"):
        take_env_file(written(tmp_path, "ANTIPHON_ENV=production"), {})


def test_somebody_elses_is_refused(tmp_path: Path) -> None:
    """It could send prompts, and keys of models, elsewhere."""
    with pytest.raises(CommandError, match="chmod go-w"):
        take_env_file(written(tmp_path, "A=1", 0o622), {})


def test_a_server_takes_it_and_the_doctor_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong value comes from there; where each variable comes from is a check of doctor."""
    monkeypatch.chdir(written(tmp_path, "ANTIPHON_PORT=x\nANTIPHON_MODEL=scripted/test\n"))
    monkeypatch.setenv("ANTIPHON_MODEL", "so that it is gone after the test")
    monkeypatch.delenv("ANTIPHON_MODEL")
    monkeypatch.setenv("ANTIPHON_LOG_LEVEL", "error")
    monkeypatch.setenv("ANTIPHON_PORT", "0")
    shown = CliRunner().invoke(app, ["doctor", "--all", "--data-dir", str(tmp_path / "data")])
    assert "ANTIPHON_MODEL from .env" in shown.output
    assert "ANTIPHON_LOG_LEVEL, ANTIPHON_PORT from the environment" in shown.output
    monkeypatch.delenv("ANTIPHON_PORT")
    monkeypatch.delenv("ANTIPHON_MODEL")
    refused = CliRunner().invoke(app, ["up", "--data-dir", str(tmp_path / "data")])
    assert refused.exit_code == 2
    assert "ANTIPHON_PORT: " in refused.output
