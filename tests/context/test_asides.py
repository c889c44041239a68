"""What people say among themselves is no model's to read."""

from antiphon.auth.v1.access_pb2 import ROLE_GUEST, ROLE_MEMBER
from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1 import message_pb2
from tests.context.stand_ins import ANN, BOB, name_of
from tests.context.world import World, parts, posted, texts

USER = message_pb2.MESSAGE_ROLE_USER


async def said_by(world: World, conversation_id: str, user: str, text: str) -> None:
    """Have somebody ask in a turn."""
    message = message_pb2.Message(
        message_id=f"msg_{text:0>8}",
        conversation_id=conversation_id,
        role=USER,
        author=f"users/{user}",
        turn_id=f"turn_{text:0>8}",
        parts=parts(text),
    )
    await world.append(conversation_id, posted(message))


async def test_an_aside_is_in_no_window_from_memory_or_the_store(world: World) -> None:
    """It costs no budget and counts neither as left out nor as rolled back."""
    conversation = await world.conversation()
    await world.post(conversation, "before")
    await world.say(conversation, "a")
    for text in ("among us", "among us too"):
        first = await world.context_of(conversation)
        assert texts(first.messages) == ["a"]
        assert (first.estimated_tokens, first.omitted_messages) == (5, 0)
        assert first.rolled_back_messages == 0
        assert first == await world.context_of(conversation, up_to=1_000)
        await world.post(conversation, text)
    await world.say(conversation, "b")
    shorter = await world.context_of(conversation, 5)
    assert (texts(shorter.messages), shorter.omitted_messages) == (["b"], 1)
    assert shorter.omitted_tokens == 5


async def test_what_is_rolled_back_beside_asides_is_counted_alone(world: World) -> None:
    """Both are left out, for different reasons."""
    conversation = await world.conversation()
    await said_by(world, conversation, ANN, "asked")
    await world.post(conversation, "among us")
    await world.roll_back(conversation, "turn_000asked")
    await world.say(conversation, "b")
    window = await world.context_of(conversation)
    assert (texts(window.messages), window.rolled_back_messages) == (["b"], 1)
    assert window.omitted_messages == 0


async def test_one_that_is_to_be_read_is(world: World) -> None:
    """Whoever posts says so; listed is everything, with its mark."""
    conversation = await world.conversation()
    await world.post(conversation, "aside")
    note = pb.PostMessageRequest(conversation_id=conversation, parts=parts("note"), in_context=True)
    assert not (await world.client(ANN).PostMessage(note)).message.aside
    assert texts((await world.context_of(conversation)).messages) == ["note"]
    listed = await world.client(ANN).ListMessages(
        pb.ListMessagesRequest(conversation_id=conversation)
    )
    assert [message.aside for message in listed.messages] == [False, True]


async def test_services_are_told_who_speaks_where_several_do(world: World) -> None:
    """One alone is not named; people ask for members' names where they may."""
    conversation = await world.conversation()
    await said_by(world, conversation, ANN, "one")
    await said_by(world, conversation, ANN, "two")
    assert not (await world.context_of(conversation)).speakers
    await said_by(world, conversation, BOB, "three")
    speakers = (await world.context_of(conversation)).speakers
    names = {speaker.author: speaker.display_name for speaker in speakers}
    assert names == {f"users/{user}": name_of(user) for user in (ANN, BOB)}
    request = pb.GetContextRequest(conversation_id=conversation)
    assert not (await world.client(ANN).GetContext(request)).speakers


async def test_no_name_is_told_where_a_guest_takes_part(world: World) -> None:
    """A model could tell them what nobody else does."""
    conversation = await world.conversation()
    await world.add(conversation, BOB, ROLE_GUEST)
    await said_by(world, conversation, ANN, "one")
    await said_by(world, conversation, BOB, "two")
    assert [it.display_name for it in (await world.context_of(conversation)).speakers] == ["", ""]
    await world.remove(conversation, BOB)
    await world.add(conversation, BOB, ROLE_MEMBER)
    named = (await world.context_of(conversation)).speakers
    assert [it.display_name for it in named] == [name_of(ANN), name_of(BOB)]
