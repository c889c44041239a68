"""What operators say to everybody, for a while. Times are microseconds since 1970."""

from dataclasses import dataclass
from typing import NewType

NoticeId = NewType("NoticeId", str)


@dataclass(frozen=True, slots=True)
class Notice:
    """One of them; it is in force until it expires or is withdrawn."""

    notice_id: NoticeId
    text: str
    publish_us: int
    expire_us: int
    withdraw_us: int | None = None

    @property
    def end_us(self) -> int:
        """When it ends, or has ended."""
        return min(self.expire_us, self.withdraw_us or self.expire_us)
