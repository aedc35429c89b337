"""Servers of live streams on 127.0.0.1, each in a thread; every address is free when the block begins."""

from __future__ import annotations

import functools
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

HOLD = b""  # as the last payload: the connection stays open until the client closes it
_PACKETS = 7 * 188  # bytes of MPEG-TS in a datagram


@contextmanager
def tcp_server(*connections: Sequence[bytes | Callable[[], None]]) -> Iterator[str]:
    """The address of a server that sends each connection its payloads, then closes; later ones are refused.

    A function among the payloads is called when its turn comes.
    """
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for payloads in connections:
                try:
                    client, _ = listening.accept()
                except OSError:
                    return
                with client, suppress(OSError):
                    for payload in payloads:
                        if callable(payload):
                            payload()
                        else:
                            client.sendall(payload)
                    client.settimeout(0.02)
                    while payloads[-1] == HOLD and not stop.is_set():
                        with suppress(TimeoutError):
                            if not client.recv(1):
                                break
            listening.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            stop.set()
            with socket.socket() as wake:  # accept does not end when its socket is closed
                wake.connect_ex(listening.getsockname() if listening.fileno() >= 0 else ("127.0.0.1", 9))
            listening.close()
            thread.join()


@contextmanager
def udp_sender(payload: bytes, *, pause_s: float = 0.002) -> Iterator[str]:
    """The address to which the payload is sent, again and again."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        place = probe.getsockname()
    stop = threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
            while not stop.is_set():
                for start in range(0, len(payload), _PACKETS):
                    sending.sendto(payload[start : start + _PACKETS], place)
                    if stop.wait(pause_s):
                        return

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield f"udp://127.0.0.1:{place[1]}"
    finally:
        stop.set()
        thread.join()


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...

    def send_head(self) -> BytesIO | BinaryIO | None:
        if self.path.startswith("/private"):
            self.send_error(401)
            return None
        return super().send_head()


@contextmanager
def http_server(folder: Path) -> Iterator[str]:
    """The address of a server of the folder's files; /private needs a password."""
    handler = functools.partial(_Handler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
