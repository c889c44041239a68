"""Who speaks in a window, where several people do."""

from antiphon_server.context.model.messages import MessageRole, Speaker, Window
from antiphon_server.context.model.resources import ConversationId, ResourceId
from antiphon_server.context.ports import Store, Users
from antiphon_server.runtime.access.principal import UserId

_USERS = "users/"


class Speakers:
    """Knows them by name, unless a guest takes part: guests are told of nobody."""

    def __init__(self, store: Store, users: Users) -> None:
        self._store = store
        self._users = users

    async def of(self, conversation_id: ConversationId, window: Window) -> tuple[Speaker, ...]:
        """The people whose messages are in the window, if there are several."""
        people = {it.author for it in window.messages if it.role is MessageRole.USER}
        authors = sorted(people - {""})
        if len(authors) < 2:
            return ()
        resource = ResourceId(conversation_id)
        if await self._store.read(lambda records: records.members.has_guests(resource)):
            return tuple(Speaker(author, "") for author in authors)
        names = await self._users.names_of(
            [UserId(author.removeprefix(_USERS)) for author in authors if author.startswith(_USERS)]
        )
        return tuple(
            Speaker(author, names.get(UserId(author.removeprefix(_USERS)), ""))
            for author in authors
        )
