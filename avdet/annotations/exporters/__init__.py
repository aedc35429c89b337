"""Writes the project files of other tools, one module per format: what `importers` reads."""
