"""How much of tools a turn may use; docs/guides/tools.md."""

from typing import Annotated

import msgspec
from msgspec import Meta


class ToolSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The setting ``ANTIPHON_TOOLS``: what it does not name keeps its default.

    A turn asks models ``steps`` times at most, since one that calls tools for ever costs money
    for ever; a call may take ``call_s`` seconds.
    """

    steps: Annotated[int, Meta(ge=1, le=1000)] = 16
    call_s: Annotated[float, Meta(gt=0, le=3600)] = 60.0
