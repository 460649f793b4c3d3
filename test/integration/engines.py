"""A stand-in for a container engine on a unix socket: what it does, no real engine does on demand."""

import contextlib
import json
import socket
import socketserver
import tempfile
import threading
from pathlib import Path

PREFIX, SUFFIX = "/containers/", "/json"
NOBODY = "f" * 64  # the id of a container that is nowhere


def running(container_id, pid):
    return {"Id": container_id, "State": {"Running": True, "Pid": pid}}


STOPPED = {"Id": NOBODY, "State": {"Running": False, "Pid": 0}}


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128


class Engine:
    """Serves as soon as it is started; mode, which may change at any time, is a method serve_*.

    containers: name → what is answered of it. questions: the names asked for, in order.
    """

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="engine-")  # a socket's path has to be short
        self.path = str(Path(self._folder.name) / "e.sock")
        self.mode = "good"
        self.containers = {}
        self.questions = []
        self._ended = threading.Event()
        self._sockets = []
        self._server = None

    def start(self):
        self._server = Server(self.path, self._handler())
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def refuse(self):
        """A socket that nobody listens on."""
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(self.path)

    def fill(self):
        """As many wait to be accepted as may, and nobody accepts."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path)
        listener.listen(0)
        self._sockets = [listener]
        with contextlib.suppress(BlockingIOError):
            while True:
                self._sockets.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
                self._sockets[-1].connect(self.path)

    def close(self):
        self._ended.set()
        for each in self._sockets:
            each.close()
        if self._server:
            self._server.shutdown()
            self._server.server_close()
        self._folder.cleanup()

    def asked(self, name):
        return self.questions.count(name)

    def _handler(self):
        engine = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                method, path, _ = self.rfile.readline().decode().split()
                while self.rfile.readline() not in (b"\r\n", b""):
                    pass
                assert method == "GET" and path.startswith(PREFIX) and path.endswith(SUFFIX), path
                name = path.removeprefix(PREFIX).removesuffix(SUFFIX)
                engine.questions.append(name)
                try:
                    getattr(engine, f"serve_{engine.mode}")(self.wfile.write, name)
                except OSError:
                    pass  # meterd has heard enough

        return Handler

    def serve_good(self, write, name):
        known = self.containers.get(name)
        status = "200 OK" if known else "404 Not Found"
        body = json.dumps(known or {"message": f"No such container: {name}"}).encode()
        write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    def serve_silent(self, _write, _name):
        self._ended.wait()

    def serve_garbage(self, write, _name):
        write(b"\x00\xffSSH-2.0-nothing of HTTP\r\n" * 10)

    def serve_page(self, write, _name):
        write(b"HTTP/1.1 200 OK\r\n\r\n<html>It works!</html>")

    def serve_error(self, write, _name):
        write(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\n{}")

    def serve_huge(self, write, _name):
        write(b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * (10 << 20))

    def serve_drip(self, write, name):
        """One byte a second."""
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + name.encode():
            write(bytes([byte]))
            if self._ended.wait(1):
                return

    def serve_early(self, write, _name):
        write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
