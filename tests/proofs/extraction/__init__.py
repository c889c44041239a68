"""How much of what people say of themselves rules find, and how much of what they find is so."""
