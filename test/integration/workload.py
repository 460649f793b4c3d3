"""A stand-in for a workload that has a page of metrics: what is on it is known, and it behaves badly on demand."""

import contextlib
import gzip
import random
import socketserver
import threading

from messages import now_ms

BEGUN = 1_000_000  # requests before the first page: what takes them for new ones shows a spike
REQUESTS = 100  # counted from one page to the next
# Of each 100 so many took at most so long: the 95th of them is in the middle of the second bucket.
SLOW = {"0.1": 90, "0.5": 100, "+Inf": 100}
P95_MS = 300.0

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
GIB = 1 << 30


def page(counter, histogram, n):
    """The text after n requests."""
    lines = [f"# TYPE {counter} counter", f'{counter}{{code="200"}} {n}',
             f"# TYPE {histogram} histogram"]
    lines += [f'{histogram}_bucket{{le="{le}"}} {n * share // 100}' for le, share in SLOW.items()]
    lines += [f"{histogram}_sum {n * 0.1}", f"{histogram}_count {n}"]
    return "".join(f"{line}\n" for line in lines)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128


class Workload:
    """Serves as soon as it is made; mode, which may change at any time, is a method serve_*.

    requests: (path, headers) of each, in order; times: when they came, Unix ms; connections: how many were made; gone: how many of
    them were closed by the other side.
    """

    def __init__(self, address="127.0.0.1", tls=None):
        self.scheme = "https" if tls else "http"
        self.mode = "good"
        self.counter, self.histogram = "http_requests_total", "http_request_duration_seconds"
        self.counted = BEGUN
        self.requests = []
        self.times = []
        self.connections = self.gone = 0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._server = Server((address, 0), self._handler())
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True,
                                                  do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self):
        return self._server.server_address[1]

    def url(self, path="/metrics"):
        return f"{self.scheme}://{self._server.server_address[0]}:{self.port}{path}"

    def restart(self):
        """Its counters begin anew."""
        with self._lock:
            self.counted = 0

    def close(self):
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self):
        workload = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                with workload._lock:
                    workload.connections += 1
                try:
                    while self.one():
                        pass
                except OSError:
                    pass  # meterd has heard enough
                with workload._lock:
                    workload.gone += 1

            def one(self):
                words = self.rfile.readline().decode().split()
                if not words:
                    return False
                assert words[0] == "GET" and words[2] == "HTTP/1.1", words
                headers = {}
                while (line := self.rfile.readline().decode().strip()):
                    name, _, value = line.partition(":")
                    headers[name.lower()] = value.strip()
                with workload._lock:
                    workload.times.append(now_ms())
                    workload.requests.append((words[1], headers))
                return getattr(workload, f"serve_{workload.mode}")(self.wfile.write, headers, self.rfile)

        return Handler

    def text(self):
        """The next page."""
        with self._lock:
            self.counted += REQUESTS
            return page(self.counter, self.histogram, self.counted).encode()

    @staticmethod
    def answer(write, body, content_type=TEXT, status="200 OK", more=""):
        write(f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n{more}"
              f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return True

    def serve_good(self, write, _headers, _rfile):
        return self.answer(write, self.text())

    def serve_gzip(self, write, headers, _rfile):
        assert "gzip" in headers["accept-encoding"]
        return self.answer(write, gzip.compress(self.text()), more="Content-Encoding: gzip\r\n")

    def serve_openmetrics(self, write, _headers, _rfile):
        return self.answer(write, self.text() + b"# EOF\n", OPENMETRICS)

    def serve_without_type(self, write, _headers, _rfile):
        body = self.text()
        write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        return True

    def serve_html_type(self, write, _headers, _rfile):
        """What frameworks say of any text, when nobody tells them better."""
        return self.answer(write, self.text(), "text/html; charset=utf-8")

    def serve_without_eof(self, write, _headers, _rfile):
        return self.answer(write, self.text(), OPENMETRICS)

    def serve_not_found(self, write, _headers, _rfile):
        return self.answer(write, b"nothing here\n", status="404 Not Found")

    def serve_error(self, write, _headers, _rfile):
        """With the page all the same."""
        return self.answer(write, self.text(), status="500 Internal Server Error")

    def serve_redirect(self, write, _headers, _rfile):
        return self.answer(write, b"", status="302 Found", more=f"Location: {self.url('/elsewhere')}\r\n")

    def serve_silent(self, _write, _headers, rfile):
        rfile.read(1)  # until it is closed
        return False

    def serve_drip(self, write, _headers, _rfile):
        """One byte a second."""
        write(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n")
        for byte in self.text():
            write(bytes([byte]))
            if self._ended.wait(1):
                break
        return False

    def serve_early(self, write, _headers, _rfile):
        body = self.text()
        write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body[:-40])
        return False

    def serve_cut(self, write, _headers, _rfile):
        """Nothing tells its length, and the last line is not whole."""
        write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + self.text()[:-2])
        return False

    def serve_huge(self, write, _headers, _rfile):
        write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        line = b"# " + b"x" * ((1 << 20) - 3) + b"\n"
        for _ in range(GIB // len(line)):
            write(line)
        return False

    def serve_says_huge(self, write, _headers, _rfile):
        write(f"HTTP/1.1 200 OK\r\nContent-Length: {GIB}\r\n\r\n".encode())
        self._ended.wait(1)
        return False

    def serve_bomb(self, write, _headers, _rfile):
        """Small, but not unpacked."""
        return self.answer(write, gzip.compress(bytes(64 << 20), 1), more="Content-Encoding: gzip\r\n")

    def serve_binary(self, write, _headers, _rfile):
        return self.answer(write, random.Random(1).randbytes(100_000), "application/octet-stream")

    def serve_no_http(self, write, _headers, _rfile):
        write(b"\x00\xffSSH-2.0-nothing of HTTP\r\n" * 10)
        return False

    def serve_html(self, write, _headers, _rfile):
        return self.answer(write, b"<html>\n<p>It works!</p>\n</html>\n", "text/html")

    def serve_broken_line(self, write, _headers, _rfile):
        return self.answer(write, self.text() + f'{self.counter}{{code="200}} 3\n'.encode())

    def serve_not_a_number(self, write, _headers, _rfile):
        return self.answer(write, self.text() + f'{self.counter}{{code="500"}} NaN\n'.encode())

    def serve_many_series(self, write, _headers, _rfile):
        more = "".join(f'{self.counter}{{code="{n}"}} 1\n' for n in range(2000))
        return self.answer(write, self.text() + more.encode())

    def serve_other_bounds(self, write, _headers, _rfile):
        """A request less, and more of them: other bounds each time."""
        text = self.text().replace(b'le="0.1"', f'le="0.{self.counted // REQUESTS}"'.encode())
        return self.answer(write, text)


@contextlib.contextmanager
def running(*how):
    """A workload of these arguments, for as long."""
    workload = Workload(*how)
    try:
        yield workload
    finally:
        workload.close()
