"""Each due time starts one turn or is left out as said, whatever happens to servers and clocks."""
