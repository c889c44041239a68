"""httpbin, which others wrote, on a real WSGI server."""

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from werkzeug.serving import make_server


@asynccontextmanager
async def httpbin_server() -> AsyncIterator[str]:
    """Its address; its document is at `/spec.json`, and says that it were somewhere else."""
    import httpbin

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, httpbin.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
