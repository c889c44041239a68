"""A conversation's working notes: what they are, and the rules of writing them."""
