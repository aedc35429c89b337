"""Lets tools that expect a setup.py build avdet; all metadata is in pyproject.toml."""

from setuptools import setup

setup()
