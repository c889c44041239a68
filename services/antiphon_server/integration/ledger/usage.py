"""What a workspace's calls consumed."""

from dataclasses import dataclass

from antiphon_server.integration.ledger.model import CallId, SettledCall, Usage, UsageFilter
from antiphon_server.integration.ledger.ports import Ledger
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.paging import decode_page_token, encode_page_token, page_limit


@dataclass(frozen=True, slots=True)
class UsagePage:
    """The sum over the whole range, a page of its calls, and where the next begins."""

    total: Usage
    calls: list[SettledCall]
    next_page_token: str


class UsageReports:
    """Reads the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def page(self, wanted: UsageFilter, page_size: int, page_token: str) -> UsagePage:
        """One page, the newest calls first. Raises DomainError PAGE_TOKEN_INVALID."""
        listed = f"usage {wanted}"
        before, limit = _position(page_token, listed), page_limit(page_size)
        calls = await self._ledger.calls(wanted, before, limit + 1)
        token = ""
        if len(calls) > limit:
            calls = calls[:limit]
            token = encode_page_token(listed, str(calls[-1].start_us), calls[-1].call_id)
        return UsagePage(await self._ledger.total(wanted), calls, token)


def _position(page_token: str, listed: str) -> tuple[int, CallId] | None:
    position = decode_page_token(page_token, listed, 2)
    if position is None:
        return None
    start_us, call_id = position
    if not (start_us.isascii() and start_us.isdigit()) or len(start_us) > 18:
        raise DomainError(Reason.PAGE_TOKEN_INVALID)
    return int(start_us), CallId(call_id)
