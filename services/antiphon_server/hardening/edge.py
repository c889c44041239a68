"""What an edge's own settings (``ANTIPHON_MESH``) leave open; a server that is none has none."""

from urllib.parse import urlsplit

from antiphon_server.hardening.facts import Facts
from antiphon_server.mesh.settings import MeshSettings
from antiphon_server.runtime.net.loopback import is_loopback
from antiphon_server.settings import Settings


def wide_origins(settings: Settings, _facts: Facts) -> str:
    """Pages that anybody wrote, or that whoever is on the way could have changed."""
    wide = [origin for origin in settings.mesh.origins if origin == "*" or _in_clear(origin)]
    return f"pages of {', '.join(wide)} may call the edge" if wide else ""


def no_rates(settings: Settings, _facts: Facts) -> str:
    """Limits that were taken away."""
    names = ("calls_per_s", "calls_per_s_of_one")
    without = [name for name in names if not getattr(settings.mesh, name)]
    return f"the edge has no {' and no '.join(without)}" if without else ""


def unchecked_tokens(settings: Settings, _facts: Facts) -> str:
    """Every call gets as far as a server."""
    return "" if settings.mesh.check_tokens else "the edge checks no tokens"


def unheard_proxies(settings: Settings, _facts: Facts) -> str:
    """A proxy before the edge, which the edge does not know of."""
    unheard = settings.behind_proxy and not settings.mesh.trusted_hops
    is_edge = settings.mesh != MeshSettings()
    return "the edge takes the proxy before it for the caller" if unheard and is_edge else ""


def _in_clear(origin: str) -> bool:
    parts = urlsplit(origin)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")
