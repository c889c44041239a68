"""A web service that streams answers of an Antiphon server, as server-sent events."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from antiphon_client import AntiphonError, ApiKey, Client


class Question(BaseModel):
    """What is asked, and in which conversation; without one it begins another."""

    text: str
    conversation_id: str = ""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One client serves all requests."""
    address, key = os.environ["ANTIPHON_ADDRESS"], os.environ["ANTIPHON_API_KEY"]
    async with Client.connect(address, ApiKey(key)) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/ask")
async def ask(question: Question, request: Request) -> StreamingResponse:
    """The answer, piece by piece."""
    events = answer(request.app.state.client, question)
    return StreamingResponse(events, media_type="text/event-stream")


async def answer(client: Client, question: Question) -> AsyncIterator[str]:
    """Who leaves in the middle finds the whole answer in the conversation: it goes on."""
    try:
        where = question.conversation_id
        if not where:
            where = (await client.create_conversation(question.text[:60])).conversation_id
        yield event("conversation", where)
        async with client.converse(where) as talk:
            turn = await talk.post(question.text)
            async for piece in turn:
                yield event("text", piece)
            result = await turn.result()
        yield event("end", result.error.reason if result.error else "")
    except AntiphonError as error:
        yield event("error", error.reason or error.code.name)


def event(name: str, data: str) -> str:
    """One server-sent event; its data are JSON, so that they have no line's end."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
