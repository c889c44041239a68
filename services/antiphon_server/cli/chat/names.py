"""What those are called who write in a conversation."""

from collections.abc import Iterable

from antiphon_client import AntiphonError, Client

SOMEBODY = "somebody else"


class Names:
    """Names by author (``users/user_…``), as far as the user is told; "" is the user."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, author: str) -> str:
        """What one is called whose name was learned."""
        return self._known.get(author, SOMEBODY)

    async def learn(self, client: Client, conversation_id: str, authors: Iterable[str]) -> None:
        """Ask for the names of those of the conversation that are not known. Guests aren't told."""
        new = set(authors) - self._known.keys()
        if not new:
            return
        self._known.update(dict.fromkeys(new, SOMEBODY))
        self._known[f"users/{(await client.who_am_i()).user.user_id}"] = ""
        if not any(self._known[each] for each in new):
            return
        try:
            async for member in client.list_members(conversation_id):
                if member.display_name and self.of(f"users/{member.user_id}"):
                    self._known[f"users/{member.user_id}"] = member.display_name
        except AntiphonError as error:
            if error.reason != "PERMISSION_DENIED":
                raise
