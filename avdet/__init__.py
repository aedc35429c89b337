"""avdet: who does what in a video, by looking and listening (Audiovisual SlowFast, arXiv 2001.08740)."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avdet.inference.detector import ActionDetector as ActionDetector

__all__ = ["ActionDetector"]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Imports torch only for those who ask for the detector: a wrong setting is said without it."""
    if name == "ActionDetector":
        from avdet.inference.detector import ActionDetector  # noqa: PLC0415

        return ActionDetector
    raise AttributeError(f"module 'avdet' has no attribute {name!r}")
