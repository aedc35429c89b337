"""The built-in sample set: a small animated world, in AVA's form, where only sound can tell some actions apart."""
