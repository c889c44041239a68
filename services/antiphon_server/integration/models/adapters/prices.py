"""Prices of known models, from genai-prices.

Its table takes a second and 50 MB to load, and is looked into once for each model: so it is
loaded in a process of its own, which ends.
"""

import asyncio
import functools
import json
import logging
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from antiphon_server.integration.models.model import Prices
from antiphon_server.integration.models.settings import ModelSettings

_PROGRAM = Path(__file__).with_name("price_table.py")
TIMEOUT_S = 60.0

log = logging.getLogger(__name__)


async def known_prices(settings: ModelSettings) -> Prices | None:
    """What the provider publicly asks for the model, None if unknown."""
    return await asyncio.to_thread(_look_up, settings.provider, settings.model)


@functools.cache
def _look_up(provider: str, model: str) -> Prices | None:
    if find_spec("genai_prices") is None:
        return None
    # -P: what lies beside the program is not in the way of what it imports.
    command = (sys.executable, "-P", str(_PROGRAM), provider, model)
    try:
        said = subprocess.run(command, capture_output=True, check=True, timeout=TIMEOUT_S)
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("the price of %s/%s could not be looked up: %s", provider, model, error)
        return None
    found = json.loads(said.stdout)
    return Prices(*found) if found else None
