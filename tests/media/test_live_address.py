from __future__ import annotations

import pytest

from avdet.media.live_address import PROTOCOLS, LiveAddress


@pytest.mark.parametrize(
    ("text", "shown", "name"),
    [
        ("0", "0", "camera0"),
        ("/dev/video2", "/dev/video2", "video2"),
        ("videos/a b.mp4", "videos/a b.mp4", "a b"),
        ("rtsp://camera/1", "rtsp://camera/1", "camera-1"),
        ("rtsp://me:p@ss:word@10.0.0.5:554/live", "rtsp://me:***@10.0.0.5:554/live", "10.0.0.5-554-live"),
        ("udp://@239.0.0.1:1234", "udp://@239.0.0.1:1234", "239.0.0.1-1234"),
        ("http://host/a/live.m3u8?token=x", "http://host/a/live.m3u8?token=x", "host-a-live.m3u8"),
    ],
)
def test_names(text: str, shown: str, name: str) -> None:
    address = LiveAddress(text)
    assert (str(address), address.name) == (shown, name)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_streams_are_opened_as_typed(protocol: str) -> None:
    address = LiveAddress(f"{protocol.upper()}://host:1/x")
    arguments = address.open_arguments()
    assert arguments["file"] == address.text and not address.is_file
    assert "file" not in arguments["container_options"]["protocol_whitelist"].split(",")


@pytest.mark.parametrize("text", ["file:///etc/passwd", "concat://a", "gopher://me:secret@host/1", "://host"])
def test_other_protocols_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"which is not opened; give the number of a camera, .* rtsp://, ") as refused:
        LiveAddress(text)
    assert "secret" not in str(refused.value)


def test_cameras_of_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for text, device in (("3", "/dev/video3"), ("/dev/video7", "/dev/video7")):
        assert LiveAddress(text).is_camera
        assert LiveAddress(text).open_arguments() == {"file": device, "format": "v4l2"}
    for text in ("pipe:0", "12:30.mp4", "concat:a.ts|b.ts"):
        assert LiveAddress(text).is_file  # read as a path
