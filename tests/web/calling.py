"""A model that asks for tools, by what it is told."""

import json

# What people say in tests/calls.test.ts, and what the model asks for then.
_ZONES = {"Time?": "Asia/Tokyo", "Nowhere?": "<script>\u202e\u200b"}
CALLING = {
    "name": "scripted/echo",
    "kind": "scripted",
    "model": "echo",
    "script": {
        "calls": {
            said: [
                {
                    "tool": "antiphon.time",
                    "arguments": json.dumps({"zone": zone}, ensure_ascii=False),
                }
            ]
            for said, zone in _ZONES.items()
        }
        | {
            "Both?": [{"tool": "antiphon.time", "arguments": '{"zone": "Asia/Tokyo"}'}] * 2,
            "Cake?": [{"tool": "cakes.bake", "arguments": '{"who": "Anna"}'}],
            "Large?": [{"tool": "large.dump", "arguments": "{}"}],
        }
    },
}
