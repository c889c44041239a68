"""The dispatcher: messages become turns, and every turn ends."""
