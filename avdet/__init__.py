"""avdet: audiovisual action detection in video (Audiovisual SlowFast, arXiv 2001.08740)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avdet.inference.classifier import ActionClassifier as ActionClassifier
    from avdet.inference.detector import ActionDetector as ActionDetector

__all__ = ["ActionClassifier", "ActionDetector", "__version__"]

__version__ = "0.2.0"


def __getattr__(name: str) -> object:
    """Imports the classes, and with them torch, on first use, so that the command line reports errors at once."""
    if name == "ActionClassifier":
        from avdet.inference.classifier import ActionClassifier  # noqa: PLC0415

        return ActionClassifier
    if name == "ActionDetector":
        from avdet.inference.detector import ActionDetector  # noqa: PLC0415

        return ActionDetector
    raise AttributeError(f"module 'avdet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
