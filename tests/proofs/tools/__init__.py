"""Turns that call tools, on real servers that are killed, stopped and halted."""
