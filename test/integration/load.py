"""A load on an HTTP server whose rate and latency are known, and a server whose latency is."""

import http.client
import itertools
import threading
import time
from urllib.parse import urlsplit

from web import WebServer

SLOW_S = 0.35
SLOW_EVERY = 5  # requests of which one is slow


class Backend(WebServer):
    """Answers at once, but /slow after SLOW_S."""

    def __init__(self):
        self._ended = threading.Event()
        super().__init__(self._serve)

    def _serve(self, path):
        if path == "/slow":
            self._ended.wait(SLOW_S)
        return 200, "text/plain", b"hello"

    def close(self):
        self._ended.set()
        super().close()


class Load:
    """Requests of the paths in turn, each when it is due and not earlier; ends with close()."""

    def __init__(self, url, rate, paths=("/",), connections=16):
        self._address = urlsplit(url).netloc
        self._rate = rate
        self._paths = paths
        self._numbers = itertools.count()
        self._ended = threading.Event()
        self._answered = []  # (Unix ms when, ms it took)
        self._start = time.monotonic()
        self._threads = [threading.Thread(target=self._send) for _ in range(connections)]
        for thread in self._threads:
            thread.start()

    def _send(self):
        connection = http.client.HTTPConnection(self._address, timeout=10)
        while True:
            number = next(self._numbers)
            if self._ended.wait(max(0, self._start + number / self._rate - time.monotonic())):
                break
            began = time.monotonic()
            connection.request("GET", self._paths[number % len(self._paths)])
            response = connection.getresponse()
            response.read()
            assert response.status == 200, f"{response.status} {response.reason}"
            self._answered.append((time.time() * 1000, (time.monotonic() - began) * 1000))
        connection.close()

    def count(self):
        """Requests that were answered so far."""
        return len(self._answered)

    def latency_p95(self, since, until):
        """Of the requests answered between two times, Unix ms."""
        latencies = sorted(took for at, took in list(self._answered) if since <= at <= until)
        return latencies[int(0.95 * len(latencies))]

    def latency_max(self):
        return max(took for _, took in list(self._answered))

    def close(self):
        self._ended.set()
        for thread in self._threads:
            thread.join()
