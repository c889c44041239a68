"""How busy the machine is, and how much of that is this proof's."""

import asyncio
import os
import time

import psutil


async def load(window_s: float) -> str:
    """In a line: cores that this process's children use now, those in use at all, and the load."""
    before, busy = _own_s(), _busy_s()
    began = time.monotonic()
    await asyncio.sleep(window_s)
    took = time.monotonic() - began
    own, all_ = (_own_s() - before) / took, (_busy_s() - busy) / took
    of, average = os.cpu_count(), os.getloadavg()[0]
    return f"{own:.2f} cores, of {all_:.2f} in use and {of} there, at load {average:.1f}"


def _own_s() -> float:
    spent = 0.0
    me = psutil.Process()
    for each in (me, *me.children(recursive=True)):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent += times.user + times.system
    return spent


def _busy_s() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0))
