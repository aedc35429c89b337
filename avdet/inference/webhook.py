"""Webhook: posts messages to a URL from a thread of its own, so that a dead server delays nothing."""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import queue
import threading
import urllib.request
from collections.abc import Mapping
from urllib.parse import urlsplit

__all__ = ["Webhook"]

logger = logging.getLogger(__name__)
_WAITING = 1000  # messages


class Webhook:
    """Posts each message as JSON, in order; use as a context manager.

    timeout_s: of one request; at the end, also the time for the messages that wait.
    A server that does not answer, or answers with an error, is reported once, and once when it works again. Its
    messages are lost, and so are those beyond 1,000 that wait; the end reports their number.
    """

    def __init__(self, url: str, *, timeout_s: float = 5.0) -> None:
        """Raises ValueError for a URL that is not http or https."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise ValueError(
                f"--webhook is {parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}; give an address that "
                "begins with http:// or https://, without a password"
            )
        self._url, self._timeout_s = url, timeout_s
        self._queue: queue.Queue[Mapping[str, object] | None] = queue.Queue(_WAITING)
        self._given = self._delivered = 0
        self._fails = False
        self._thread = threading.Thread(target=self._post_all, daemon=True)
        self._thread.start()

    def send(self, message: Mapping[str, object]) -> None:
        """Queues the message without waiting."""
        self._given += 1
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(message)

    def __enter__(self) -> Webhook:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(queue.Full):
            self._queue.put(None, timeout=self._timeout_s)
        self._thread.join(self._timeout_s)
        if lost := self._given - self._delivered:
            logger.warning("--webhook %s: %d events were lost", self._url, lost)

    def _post_all(self) -> None:
        while (message := self._queue.get()) is not None:
            try:
                self._post(message)
            except (OSError, http.client.HTTPException) as error:
                if not self._fails:
                    logger.warning("--webhook %s: %s; the stream goes on without it", self._url, error)
                self._fails = True
            else:
                self._delivered += 1
                if self._fails:
                    logger.info("--webhook %s works again", self._url)
                self._fails = False

    def _post(self, message: Mapping[str, object]) -> None:
        body = json.dumps(message, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "avdet"}
        request = urllib.request.Request(self._url, body, headers)
        with urllib.request.urlopen(request, timeout=self._timeout_s) as answer:
            answer.read(0)
