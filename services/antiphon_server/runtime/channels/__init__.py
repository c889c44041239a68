"""The ways from one service to another: in this process, to a peer, or to whichever has it."""
