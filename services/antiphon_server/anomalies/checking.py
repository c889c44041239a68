"""What detectors of one parent must keep together, beyond what the contract says of each field."""

from collections.abc import Sequence

from antiphon_server.anomalies.model import (
    MOST_DETECTORS,
    WINDOWS_S,
    About,
    Cost,
    Detector,
    NewPlace,
    OddHours,
    Verdicts,
)
from antiphon_server.runtime.errors import DomainError, invalid
from antiphon_server.runtime.revisions.model import GLOBAL


def broken(parent: str, detectors: Sequence[Detector]) -> DomainError | None:
    """INVALID_ARGUMENT where they don't."""
    try:
        _check_all(parent, detectors)
    except DomainError as error:
        return error
    return None


def _check_all(parent: str, detectors: Sequence[Detector]) -> None:
    if len(detectors) > MOST_DETECTORS:
        raise invalid("detectors", f"are {len(detectors)}, more than {MOST_DETECTORS}")
    seen: dict[str, int] = {}
    for at, one in enumerate(detectors):
        if one.name in seen:
            raise invalid(f"detectors[{at}].name", f"is that of detectors[{seen[one.name]}]")
        seen[one.name] = at
        if broken := _broken(parent, one):
            raise invalid(f"detectors[{at}].{broken[0]}", broken[1])


def _broken(parent: str, it: Detector) -> tuple[str, str] | None:
    if isinstance(it.kind, NewPlace):
        if it.about is not About.USER:
            return "subject", "has to be a user: nobody else signs in"
        if parent != GLOBAL:
            return "new_place", f"has to be one of {GLOBAL}: nobody signs in to a workspace"
    elif isinstance(it.kind, OddHours) and it.window_s not in (0, WINDOWS_S[OddHours]):
        return "window", "is not for odd_hours, which are hours"
    elif isinstance(it.kind, Cost | Verdicts) and it.about is About.SESSION:
        return "subject", "can't be a session: what is spent and found is not kept by sessions"
    return None
