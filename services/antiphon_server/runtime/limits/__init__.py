"""How often one caller may call."""
