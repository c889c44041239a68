"""Which URLs a server may have a browser opened at."""

import ipaddress
import re
from urllib.parse import urlsplit

import grpc

from antiphon_client.errors import AntiphonError

_LONGEST = 8192
_PRINTED = re.compile(r"[!-~]+")


def check_browser_url(url: str) -> str:
    """The URL, if a page stands there that one may sign in at. Raises AntiphonError if not.

    It is https, or http on this machine. A file, another program's scheme, an option of the
    browser's command line or a command to the terminal is not opened, whoever runs the server.
    """
    if len(url) > _LONGEST or _PRINTED.fullmatch(url) is None or not _is_page(url):
        raise AntiphonError(
            grpc.StatusCode.FAILED_PRECONDITION,
            "the server wants a browser to be opened at what is no page to sign in at (https); "
            "nothing was opened",
        )
    return url


def _is_page(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or "\\" in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
