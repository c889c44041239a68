"""Pages that people have to visit before a call: by 2025-11-25 an error says so (-32042).

Nothing of the call was done then; it is made anew when they were there.
"""

from collections.abc import Mapping

import mcp_types as types
from mcp.shared.exceptions import MCPError, UrlElicitationRequiredError


def pages_wanted(error: MCPError) -> Mapping[str, types.InputRequest] | None:
    """The pages that an error asks for, as questions; None if it asks for none."""
    if error.code != types.URL_ELICITATION_REQUIRED:
        return None
    try:
        pages = UrlElicitationRequiredError.from_error(error.error).elicitations
    except (ValueError, AttributeError, TypeError):  # its data is whatever the server likes
        return None
    return {str(number): types.ElicitRequest(params=page) for number, page in enumerate(pages)}
