"""A program that speaks MCP 2025-11-25, and misbehaves as the tool's name says."""

import json
import os
import subprocess
import sys
import time

TOOLS = ["echo", "hang", "fail", "endless", "other_id", "close", "child", "environment", "deafen"]
TOOLS += ["chatter", "asks"]


def say(message: object) -> None:
    """One line."""
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **dict(message)}) + "\n")  # type: ignore[call-overload]
    sys.stdout.flush()


def text(number: object, told: str) -> None:
    """A tool's result."""
    say({"id": number, "result": {"content": [{"type": "text", "text": told}]}})


def call(number: object, tool: str, arguments: dict[str, str]) -> None:
    """Do as the tool's name says."""
    if tool == "echo":
        text(number, arguments.get("text", ""))
    elif tool == "fail":
        say({"id": number, "error": {"code": -32603, "message": "secret detail"}})
    elif tool == "endless":
        # 200 MB and no newline.
        for _ in range(200):
            sys.stdout.write("x" * 1_000_000)
    elif tool == "other_id":
        text(f"not-{number}", "for nobody")
    elif tool == "close":
        sys.stdout.write('{"jsonrpc": "2.0", "id"')
        sys.stdout.flush()
        sys.exit(0)
    elif tool == "child":
        # Ignores SIGTERM and holds the pipes.
        code = "import signal, time; signal.signal(15, 1); print(flush=True); time.sleep(99)"
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        text(number, str(child.pid))
    elif tool == "chatter":
        while True:
            say({"method": "notifications/message", "params": {"level": "info", "data": "x" * 500}})
    elif tool == "asks":
        schema = {"type": "object", "properties": {}}
        for asked in range(1_000_000):
            question = {"mode": "form", "message": "?", "requestedSchema": schema}
            say({"id": f"q{asked}", "method": "elicitation/create", "params": question})
            if not sys.stdin.readline():
                return
    elif tool == "deafen":
        time.sleep(99)
    elif tool == "environment":
        text(number, json.dumps(dict(os.environ)))


def main() -> None:
    """Answer what comes."""
    for line in sys.stdin:
        asked = json.loads(line)
        number, method = asked.get("id"), asked["method"]
        if method == "initialize":
            info = {"name": "strange", "version": "1"}
            version = asked["params"]["protocolVersion"]
            result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}
            say({"id": number, "result": result})
        elif method == "tools/list":
            schema = {"type": "object"}
            tools = [{"name": name, "inputSchema": schema} for name in TOOLS]
            say({"id": number, "result": {"tools": tools}})
        elif method == "tools/call":
            call(number, asked["params"]["name"], asked["params"]["arguments"])
        elif number is not None:
            say({"id": number, "error": {"code": -32601, "message": "unknown"}})
    if "deaf" in sys.argv:
        time.sleep(99)


main()
