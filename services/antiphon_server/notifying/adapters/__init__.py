"""Where notifications are kept, and how they leave."""
