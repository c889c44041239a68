"""Variables that look like settings and are none: a misspelt one would be missed in silence."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from antiphon_server.settings import PREFIX, Settings

OF_COMMANDS = frozenset(
    PREFIX + name
    for name in (
        "ADDRESS",
        "API_KEY",
        "PASSWORD",
        "NEW_PASSWORD",
        "BACKUP_KEYS",
        "RESET_TOKEN",
        "CA",
        "CLIENT_CERT",
        "CLIENT_KEY",
    )
)
"""What the command line reads beside the settings."""
_HOST = "_SERVICE_HOST"


def unknown_variables(settings: Settings, environment: Mapping[str, str]) -> list[str]:
    """Each ``ANTIPHON_*`` that nothing reads, with the names nearest to it."""
    ours = {PREFIX + field.name.upper() for field in msgspec.structs.fields(Settings)}
    known = ours | OF_COMMANDS
    read = known.union(_named(settings), _of_kubernetes(environment))
    strange = sorted(name for name in environment if name.startswith(PREFIX) and name not in read)
    return [f"{name} ({_nearest(name, known)})" for name in strange]


def _named(settings: Settings) -> Iterator[str]:
    """Those that the settings themselves name."""
    yield from (model.api_key_env for model in settings.models)
    yield from (provider.client_secret_env for provider in settings.identity_providers)
    yield from (connection.bearer_env for connection in settings.connections)


def _of_kubernetes(environment: Mapping[str, str]) -> set[str]:
    """Those that tell a pod of a service such as `antiphon-db`, whether it asks or not."""
    hosts = [name for name in environment if name.startswith(PREFIX) and name.endswith(_HOST)]
    starts = tuple(
        host.removesuffix(_HOST) + rest for host in hosts for rest in ("_SERVICE_", "_PORT")
    )
    return {name for name in environment if name.startswith(starts)}


def _nearest(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    rest = {one.removeprefix(PREFIX): one for one in known}
    found = get_close_matches(name.removeprefix(PREFIX), rest, 3, 0.0)
    return f"nearest: {', '.join(rest[one] for one in found)}"
