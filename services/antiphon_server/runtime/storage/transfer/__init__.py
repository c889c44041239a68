"""Taking all rows of one database into another one, and comparing them there."""
