"""docs/guides/settings.md is what the code reads."""

import re
from typing import Any

import msgspec

from antiphon_server.hardening.variables import OF_COMMANDS
from antiphon_server.settings import PREFIX, Settings
from tests.repository.files import ROOT

SERVER, COMMANDS = (ROOT / "docs" / "guides" / "settings.md").read_text().split("## Of commands")
VARIABLE = re.compile(r'"(ANTIPHON_[A-Z_]+)"')
ROW = re.compile(r"^\| `(ANTIPHON_\w+)` \|(.*)\|$", re.MULTILINE)


def shown(field: msgspec.structs.FieldInfo) -> str:
    """A default as the table has it."""
    value: Any = field.default
    if field.name == "data_dir":
        return "`~/.local/share/antiphon`"
    if value in (None, "", ()) or field.default_factory is not msgspec.NODEFAULT:
        return "none"
    if isinstance(value, msgspec.Struct):
        return "none"
    if isinstance(value, tuple):
        return f"`{', '.join(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def test_every_setting_has_its_row() -> None:
    """All of them, in the order of the code, with their defaults, and a meaning."""
    rows = [(name, *map(str.strip, rest.split("|"))) for name, rest in ROW.findall(SERVER)]
    fields = msgspec.structs.fields(Settings)
    assert [row[:2] for row in rows] == [(PREFIX + f.name.upper(), shown(f)) for f in fields]
    assert all(row[2].endswith(".") for row in rows)


def test_every_variable_of_commands_has_its_row() -> None:
    """Those that the command line and the client read, and no others."""
    folders = [ROOT / "services/antiphon_server/cli", ROOT / "clients/python/antiphon_client"]
    files = [path for folder in folders for path in folder.rglob("*.py")]
    read = {name for path in files for name in VARIABLE.findall(path.read_text())}
    assert {name for name, _ in ROW.findall(COMMANDS)} == read
    assert {"ANTIPHON_DATA_DIR", *OF_COMMANDS} == read
