"""Metadata of avdet; tool settings are in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

setup(
    name="avdet",
    version="0.1.0",
    description="Spatiotemporal action detection by looking and listening: Audiovisual SlowFast",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    python_requires=">=3.10",
    packages=find_packages(include=["avdet", "avdet.*", "ava_eval", "ava_eval.*"]),
    package_data={"": ["*.yaml", "recipes/*.yaml", "*.html", "*.js", "*.css", "py.typed"]},
    install_requires=[
        # torchaudio's releases load with few builds of torch and do not tell pip: 2.11.0 refuses at import a torch
        # built for another CUDA version, as torch 2.13 and later are, and 2.11.1 needs a symbol that torch 2.12 lacks.
        # The caps keep the three builds of one another.
        "torch>=2.6,<2.13",
        "torchvision>=0.21,<0.28",
        "torchaudio>=2.6,<2.11.1",
        "av>=17.1",
        "numpy>=1.26",
        "opencv-python>=4.10",
        "scipy>=1.11",
        "pandas>=2.1",
        "pydantic>=2.7",
        "Pillow>=10.0",
        "PyYAML>=6.0",
        "rich>=13.0",
        "matplotlib>=3.8",
        "tensorboard>=2.16",
        "pycocotools>=2.0.8",
    ],
    extras_require={
        "ray": ["ray[data]>=2.40"],
        "onnx": ["onnx>=1.16", "onnxruntime>=1.18", "onnxscript>=0.5"],
        "dev": [
            "hypothesis>=6.100",
            "mypy>=1.11",
            "onnx>=1.16",
            "onnxruntime>=1.18",
            "onnxscript>=0.5",
            "pandas-stubs>=2.1",
            "playwright>=1.45",  # drives the Chromium that is installed; it downloads none
            "pytest>=8.0",
            "ruff>=0.8,<0.16",  # a newer formatter may want other line breaks
            "scipy-stubs>=1.14",
            "types-PyYAML>=6.0",
        ],
    },
    entry_points={"console_scripts": ["avdet = avdet.cli.main:main"]},
)
