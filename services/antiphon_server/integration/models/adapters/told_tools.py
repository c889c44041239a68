"""Tools in words, for models that run here: told in the instructions, asked for by lines of JSON.

llama.cpp's own way with tools is not taken. A file whose template knows of none is told nothing of
them, and nobody hears of that; one whose template does may still answer in another form; and one
tool's schema of which llama.cpp makes no grammar costs the whole answer.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import groupby

import msgspec

from antiphon_server.integration.models.adapters.tool_names import ToolNames
from antiphon_server.integration.models.model import (
    Part,
    Prompt,
    PromptMessage,
    ToolCallId,
    ToolDefinition,
)

# A model copies an example better than it follows a rule.
_HOW = """\
To use a tool, answer with a line of JSON and nothing else. An example:
user: How warm is it in Oslo?
assistant: {"name": "weather", "arguments": {"city": "Oslo"}}
user: Result of weather:
{"degrees": 12}
assistant: It is 12 degrees in Oslo.

Use a tool only where it helps; else answer at once."""
# Strings have no bare line breaks, so that each call is a line.
_GRAMMAR = r"""
root ::= (call ("\n" call)* | [^{] [^\x00]*)?
call ::= "{\"name\": " name ", \"arguments\": " object "}"
object ::= "{" (string ": " value (", " string ": " value)*)? "}"
array ::= "[" (value (", " value)*)? "]"
value ::= object | array | string | number | "true" | "false" | "null"
string ::= "\"" ([^"\\\x00-\x1F] | "\\" ["\\/bfnrt] | "\\u" [0-9a-fA-F]{4})* "\""
number ::= "-"? ("0" | [1-9] [0-9]{0,15}) ("." [0-9]{1,16})?
"""


def grammar(names: Iterable[str]) -> str:
    """llama.cpp's grammar of an answer: what begins as a call is one, of these tools; else text."""
    told = " | ".join([json.dumps(json.dumps(name)) for name in names])
    return f"{_GRAMMAR}name ::= {told}\n"


def in_words(prompt: Prompt, names: ToolNames) -> Prompt:
    """The prompt for a model that knows only messages; its first one is of the system."""
    messages = messages_in_words(prompt.messages, names)
    if not prompt.tools:
        return replace(prompt, messages=messages)
    system, *others = messages
    tools = "\n".join([_tool(tool, names) for tool in prompt.tools])
    text = f"{system.text}\n\nYou have these tools:\n{tools}\n\n{_HOW}"
    told = replace(system, parts=(Part("text", text),))
    return replace(prompt, messages=(told, *others), tools=())


def messages_in_words(
    messages: tuple[PromptMessage, ...], names: ToolNames
) -> tuple[PromptMessage, ...]:
    """Calls as lines of their messages, and what came of one step's calls as one message."""
    asked = {it.call_id: names.told(it.tool) for message in messages for it in message.calls}
    if not asked and all(it.answers is None for it in messages):
        return messages
    told: list[PromptMessage] = []
    for answers, group in groupby(messages, key=lambda it: it.answers is not None):
        its = list(group)
        told += [_results(its, asked)] if answers else [_with_calls(it, names) for it in its]
    return tuple(told)


def line_of(name: str, arguments: object) -> str:
    """A call as the grammar has it."""
    return json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)


def _with_calls(message: PromptMessage, names: ToolNames) -> PromptMessage:
    if not message.calls:
        return message
    calls = [line_of(names.told(it.tool), _decoded(it.arguments)) for it in message.calls]
    text = "\n".join([message.text, *calls] if message.text else calls)
    return PromptMessage(message.role, (Part("text", text),))


def _results(messages: Iterable[PromptMessage], asked: Mapping[ToolCallId, str]) -> PromptMessage:
    told = []
    for it in messages:
        name = asked.get(it.answers or ToolCallId(""), "a tool")
        told.append(f"Result of {name}:\n{it.text}")
    return PromptMessage("user", (Part("text", "\n\n".join(told)),))


def _tool(tool: ToolDefinition, names: ToolNames) -> str:
    arguments = msgspec.json.format(tool.schema, indent=-1)
    description = json.dumps(tool.description, ensure_ascii=False)
    name = json.dumps(names.told(tool.name))
    return f'{{"name": {name}, "description": {description}, "arguments": {arguments}}}'


def _decoded(arguments: str) -> object:
    try:
        return json.loads(arguments or "{}")
    except (ValueError, RecursionError):  # it is told as it was said
        return arguments
