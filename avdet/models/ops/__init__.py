"""How layers are computed, fast and correctly, on each device: one trick per file, with its gain and its test."""
