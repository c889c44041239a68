"""The pages, put together with what serves them."""

import asyncio
from typing import TYPE_CHECKING

from antiphon_server.runtime.process.lifecycle import Lifecycle

if TYPE_CHECKING:
    from antiphon_server.web.site import SignIn

LOOPBACK = "127.0.0.1"


async def serve_pages(lifecycle: Lifecycle, sign_in: "SignIn | None" = None) -> int:
    """Serve the files to an Envoy on this machine; return the port. Raises NoPages."""
    from antiphon_server.web.pages import load_pages
    from antiphon_server.web.site import Site

    site = Site(await asyncio.to_thread(load_pages), sign_in)
    lifecycle.on_stop("pages", site.stop)
    return await site.start(LOOPBACK)
