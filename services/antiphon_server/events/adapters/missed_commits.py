"""The scopes whose missed commits are read in one go; the same for every store."""

from collections.abc import Mapping, Sequence

from antiphon_server.events.model import Scope

MAX_MISSED_BYTES = 4 << 20


def to_read(behind: Mapping[Scope, int], max_events: int) -> Sequence[Scope]:
    """The scopes whose events fit, those with the fewest first; ``behind`` counts offsets."""
    chosen = []
    for scope in sorted((it for it in behind if behind[it] > 0), key=behind.__getitem__):
        max_events -= behind[scope]
        if max_events < 0:
            break
        chosen.append(scope)
    return chosen
