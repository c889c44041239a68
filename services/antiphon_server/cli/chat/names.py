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
        """Ask for the names of those of the conversation that are not known. Guests aren't told.

        Raises AntiphonError; it is asked again then.
        """
        new = set(authors) - self._known.keys()
        if not new:
            return
        me = f"users/{(await client.who_am_i()).user.user_id}"
        told = await _told(client, conversation_id) if new - {me} else {}
        self._known |= {**dict.fromkeys(new, SOMEBODY), **told, me: ""}


async def _told(client: Client, conversation_id: str) -> dict[str, str]:
    """The names of the conversation's members; none for a guest."""
    try:
        members = [member async for member in client.list_members(conversation_id)]
    except AntiphonError as error:
        if error.reason != "PERMISSION_DENIED":
            raise
        return {}
    return {f"users/{it.user_id}": it.display_name for it in members if it.display_name}
