"""The pages' files, read once and kept as they are sent."""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_LEAST_GZIP = 512

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # No text ever becomes HTML or a script here: the browser holds the page to that.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""What the pages may do (CSP 3): run and fetch what this origin has, and nothing else."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What every answer says."""


@dataclass(frozen=True, slots=True)
class Page:
    """A file. ``packed`` is its gzip, empty where that is not worth it."""

    content_type: str
    body: bytes
    packed: bytes
    etag: str
    cache: str


class NoPages(Exception):
    """The package has no pages: it was not built."""

    def __init__(self) -> None:
        super().__init__("the pages are missing: `uv run poe web` builds them")


def load_pages() -> Mapping[str, Page]:
    """Every file by its path, ``/`` among them. Raises NoPages."""
    folder = files("antiphon_web") / "static"
    if not (folder / "index.html").is_file():
        raise NoPages
    pages = {f"/{path}": _page(path, file.read_bytes()) for path, file in _walk(folder, "")}
    return {**pages, "/": pages["/index.html"]}


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in folder.iterdir():
        path = f"{prefix}{entry.name}"
        found += _walk(entry, f"{path}/") if entry.is_dir() else [(path, entry)]
    return found


def _page(path: str, body: bytes) -> Page:
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    if kind.startswith("text/") or kind.endswith("javascript"):
        kind += "; charset=utf-8"
    # Files in assets/ have what is in them in their names.
    cache = _FOR_EVER if path.startswith("assets/") else _ASK_AGAIN
    packed = gzip.compress(body, mtime=0) if len(body) >= _LEAST_GZIP else b""
    etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    return Page(kind, body, packed, etag, cache)
