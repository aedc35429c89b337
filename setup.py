"""Adds configs/ to the installed package, as avdet/configs; all metadata is in pyproject.toml."""

from setuptools import find_namespace_packages, setup

setup(
    packages=[*find_namespace_packages(include=["avdet", "avdet.*", "ava_eval", "ava_eval.*"]), "avdet.configs"],
    package_dir={"avdet.configs": "configs"},
    package_data={"": ["*.css", "*.html", "*.js", "*.txt", "*.yaml", "py.typed"], "avdet.configs": ["*/*.yaml"]},
)
