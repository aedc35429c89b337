from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from avdet.inference import webhook
from avdet.inference.webhook import Webhook


@contextmanager
def _receiver(statuses: list[int]) -> Iterator[tuple[str, list[object]]]:
    """The URL of a server that answers with these statuses in turn, then 200, and the bodies that it receives."""
    bodies: list[object] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/json"
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(statuses.pop(0) if statuses else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/events", bodies
        finally:
            server.shutdown()
            thread.join()


def test_messages_arrive_in_order_and_an_outage_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with _receiver([200, 500, 503, 200]) as (url, bodies), Webhook(url) as hook:
        for number in range(5):
            hook.send({"number": number, "action": "立つ"})
    assert bodies == [{"number": number, "action": "立つ"} for number in range(5)]
    assert [record.getMessage() for record in caplog.records] == [
        f"--webhook {url}: HTTP Error 500: Internal Server Error; the stream goes on without it",
        f"--webhook {url} works again",
        f"--webhook {url}: 2 events were lost",
    ]


def test_a_server_that_never_answers_delays_nothing(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "_WAITING", 4)
    with _silent_server() as url:
        started = time.monotonic()
        with Webhook(url, timeout_s=0.3) as hook:
            for number in range(50):
                hook.send({"number": number})
            assert time.monotonic() - started < 0.3
            while not caplog.records and time.monotonic() - started < 10:
                time.sleep(0.02)
        assert time.monotonic() - started < 10
    assert "timed out; the stream goes on without it" in caplog.text
    assert caplog.text.count("goes on without it") == 1 and "50 events were lost" in caplog.text


@contextmanager
def _silent_server() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


@pytest.mark.parametrize("url", ["ftp://host/x", "host/x", "http://", "https://me:secret@host/x", "file:///etc/passwd"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="give an address that begins with http:// or https://") as refused:
        Webhook(url)
    assert "secret" not in str(refused.value)
