"""Axes: round marks, and numbers with Grafana's units in words."""

import math

_BYTES = ("B", "KiB", "MiB", "GiB")
_A_SECOND = ("reqps", "ops")
STEPS = (1, 2, 2.5, 5, 10)
MARKS = 4


def marks_up_to(most: float, unit: str) -> list[float]:
    """From 0 in at most so many equal steps to something round that is not below ``most``."""
    most = most or 1.0
    base = 1024.0 if unit in ("bytes", "Bps") else 10.0
    scale = base ** math.floor(math.log(most, base)) if base > 10 else 1.0
    size = 10.0 ** math.floor(math.log10(most / scale / MARKS))
    step = next(size * it for it in STEPS if size * it * MARKS >= most / scale * (1 - 1e-9))
    count = math.ceil(most / scale / step - 1e-9)
    return [number * step * scale for number in range(count + 1)]


def in_words(value: float, unit: str) -> str:
    """Such as 5 ms, 20 MiB, 300/s."""
    if unit in ("bytes", "Bps"):
        return _bytes(value) + ("/s" if unit == "Bps" else "")
    if unit in ("s", "ms"):
        return _time(value * (1000 if unit == "s" else 1))
    return f"{value:g}/s" if unit in _A_SECOND else f"{value:g}"


def _bytes(value: float) -> str:
    at = 0
    while value >= 1024 and at + 1 < len(_BYTES):
        value, at = value / 1024, at + 1
    return f"{value:.3g} {_BYTES[at]}"


def _time(milliseconds: float) -> str:
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:g} s"
    return f"{milliseconds:g} ms"
