"""How mypy is set up: as the checkout says, but for what would run code or write files."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# By name or by what it begins with. Not `plugins`: mypy imports them, and a diff may change them.
_HARMLESS = (
    *("strict", "disallow_", "warn_", "check_untyped_defs", "no_implicit_", "implicit_", "allow_"),
    *("ignore_missing_imports", "extra_checks", "local_partial_types", "no_warn_", "platform"),
    *("disable_error_code", "enable_error_code", "python_version"),
)


def mypy_settings(checkout: Path) -> str:
    """A file of settings for mypy, as TOML, from the checkout's `pyproject.toml`."""
    found = _read(checkout / "pyproject.toml")
    settings = {"mypy_path": _mypy_path(found, checkout), **_harmless(found)}
    if not found:
        settings["ignore_missing_imports"] = True
    lines = ["[tool.mypy]", *_lines(settings)]
    for override in found.get("overrides", []):
        lines += ["[[tool.mypy.overrides]]", *_lines({"module": override["module"]})]
        lines += _lines({**_harmless(override), **_followed(override)})
    return "\n".join([*lines, ""])


def _read(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    settings: dict[str, Any] = tomllib.loads(file.read_text()).get("tool", {}).get("mypy", {})
    return settings


def _harmless(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: it for name, it in settings.items() if name.startswith(_HARMLESS)}


def _followed(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: it for name, it in settings.items() if name in ("follow_imports", "ignore_errors")
    }


def _mypy_path(settings: Mapping[str, Any], checkout: Path) -> list[str]:
    """Folders within the checkout; `src` unless it says others."""
    told = settings.get("mypy_path", "src")
    paths = told.replace(":", ",").split(",") if isinstance(told, str) else told
    return [path for path in paths if _is_within(checkout, path)]


def _is_within(checkout: Path, path: str) -> bool:
    folder = (checkout / path).resolve()
    return folder.is_dir() and folder.is_relative_to(checkout.resolve())


def _lines(settings: Mapping[str, Any]) -> Iterator[str]:
    # What JSON writes of strings, truth and lists is TOML too.
    return (f"{name} = {json.dumps(it)}" for name, it in settings.items())
