"""The README's picture of a chat, drawn from a real one."""
