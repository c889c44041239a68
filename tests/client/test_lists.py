from tests.client.fake_server import fake_server


async def test_lists_are_fetched_page_by_page() -> None:
    """A list goes on over its pages."""
    async with fake_server() as server, server.client() as client:
        ids = [c.conversation_id async for c in client.list_conversations()]
    assert ids == ["conv_00", "conv_01", "conv_10", "conv_11", "conv_20", "conv_21"]
