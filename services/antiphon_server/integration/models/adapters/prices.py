"""What is publicly known of models, from genai-prices.

Its table takes a second and 50 MB to load, and is looked into once for each model: so it is
loaded in a process of its own, which ends.
"""

import asyncio
import functools
import json
import logging
import subprocess
import sys
import threading
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from antiphon_server.integration.models.model import Prices
from antiphon_server.integration.models.settings import ModelSettings

_PROGRAM = Path(__file__).with_name("price_table.py")
TIMEOUT_S = 60.0
_ONE_AT_A_TIME = threading.Lock()

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Known:
    prices: Prices
    context_tokens: int


async def known_prices(settings: ModelSettings) -> Prices | None:
    """What the provider publicly asks for the model, None if unknown."""
    known = await asyncio.to_thread(_looked_up, settings.provider, settings.model)
    return known.prices if known else None


async def known_context(settings: ModelSettings) -> int:
    """The most tokens that its prompt and answer may have together, 0 if unknown.

    Whoever runs an endpoint of their own says so in its settings: for that nothing is loaded.
    """
    if not settings.is_public:
        return 0
    known = await asyncio.to_thread(_looked_up, settings.provider, settings.model)
    return known.context_tokens if known else 0


def _looked_up(provider: str, model: str) -> _Known | None:
    with _ONE_AT_A_TIME:  # prices and context are asked for at once
        return _look_up(provider, model)


@functools.cache
def _look_up(provider: str, model: str) -> _Known | None:
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
    return _Known(Prices(found[0], found[1]), found[2]) if found else None
