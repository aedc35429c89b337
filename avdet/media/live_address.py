"""LiveAddress: which live sources may be opened, how FFmpeg opens them, and their names in messages."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from avdet.media.media_file import FORMATS

__all__ = ["PROTOCOLS", "LiveAddress"]

PROTOCOLS = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "tcp", "udp", "srt")
# What a playlist or a redirection of the network may name: no file and no device of this machine.
_FOLLOWED = f"{','.join(PROTOCOLS)},rtp,srtp,tls,crypto,httpproxy"
_STREAM_FORMATS = f"{FORMATS},hls,dash,rtsp,mpjpeg,live_flv"
_PROBED_US = "2000000"  # FFmpeg's default of 5 s of the stream is as long a wait
_PROTOCOL_OPTIONS = {
    "rtsp": {"rtsp_transport": "tcp"},  # over UDP, lost packets would damage frames
    "rtsps": {"rtsp_transport": "tcp"},
    "udp": {"overrun_nonfatal": "1"},
}
# By platform: FFmpeg's input format for cameras and the device name of a camera number.
_CAMERAS = {"linux": ("v4l2", "/dev/video{}"), "darwin": ("avfoundation", "{}:0"), "win32": ("dshow", "video={}")}
_PASSWORD = re.compile(r"(://[^/:@]*:)[^/]*@")


@dataclass(frozen=True)
class LiveAddress:
    """A camera by its number or device, a stream by its address, or a file that is played in real time.

    Raises ValueError for an address with a protocol that is not in `PROTOCOLS`.
    """

    text: str

    def __post_init__(self) -> None:
        if "://" in self.text and self.protocol not in PROTOCOLS:
            known = ", ".join(f"{protocol}://" for protocol in PROTOCOLS)
            raise ValueError(
                f"{self} has the protocol {self.protocol or 'none'}, which is not opened; give the number of a "
                f"camera, the path of a file, or an address that begins with {known}"
            )

    def __str__(self) -> str:
        """As typed, with a masked password."""
        return _PASSWORD.sub(r"\1***@", self.text)

    @property
    def protocol(self) -> str | None:
        """Of a network address; None for cameras and files."""
        return self.text.partition("://")[0].lower() if "://" in self.text else None

    @property
    def is_camera(self) -> bool:
        return self.text.isdigit() or (self.protocol is None and self.text.startswith("/dev/"))

    @property
    def is_file(self) -> bool:
        return self.protocol is None and not self.is_camera

    @cached_property
    def name(self) -> str:
        """A short name for files and messages: host and path, camera0, or the file's name without suffix."""
        if self.is_file:
            return Path(self.text).stem
        if self.is_camera:
            return f"camera{self.text}" if self.text.isdigit() else Path(self.text).name
        parts = urlsplit(self.text)
        place = parts.netloc.rpartition("@")[2] + parts.path
        return re.sub(r"[^\w.]+", "-", place).strip("-.") or str(self.protocol)

    def open_arguments(self) -> dict[str, Any]:
        """The arguments of `av.open` for a camera or a stream."""
        if self.is_camera:
            form, device = _CAMERAS.get(sys.platform, _CAMERAS["linux"])
            return {"file": device.format(self.text) if self.text.isdigit() else self.text, "format": form}
        options = {"analyzeduration": _PROBED_US, **_PROTOCOL_OPTIONS.get(str(self.protocol), {})}
        allowed = {"protocol_whitelist": _FOLLOWED, "format_whitelist": _STREAM_FORMATS}
        return {"file": self.text, "options": options, "container_options": allowed}
