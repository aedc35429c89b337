"""One HTML page about an evaluation, readable without a network."""
