"""Workers that are killed, halted and cut off, with their servers: what holds all the same."""
