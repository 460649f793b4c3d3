"""A small NATS client that hides nothing: statuses, headers and protocol errors show as they are.

One reader thread per client sorts messages into the subscriptions; every method may be called from
any thread. send() puts any bytes on the wire, also such as no decent client would.
"""

import collections
import json
import secrets
import socket
import threading
import time
from urllib.parse import urlsplit

DEADLINE = 20.0  # seconds; some ten times what anything here is expected to take


class Headers(dict):
    """Header name to value; names count without regard to case."""

    def __getitem__(self, name):
        return super().__getitem__(name.lower())

    def __setitem__(self, name, value):
        super().__setitem__(name.lower(), value)

    def __contains__(self, name):
        return super().__contains__(name.lower())

    def get(self, name, default=None):
        return super().get(name.lower(), default)


Message = collections.namedtuple("Message", "subject reply headers status data")
Message.__doc__ = "status is the number in the first header line (503: no responders), else None."


class Subscription:
    """The messages of one subscription, in order; next() and wait_for() go through them once.

    on_message, when given, is called on the reader thread instead, and nothing is kept.
    """

    def __init__(self, client, sid, on_message):
        self._client = client
        self._sid = sid
        self._on_message = on_message
        self._messages = []
        self._seen = 0
        self._arrived = threading.Condition()

    def deliver(self, message):
        if self._on_message:
            self._on_message(message)
            return
        with self._arrived:
            self._messages.append(message)
            self._arrived.notify_all()

    def next(self, timeout=DEADLINE):
        with self._arrived:
            if not self._arrived.wait_for(lambda: self._seen < len(self._messages), timeout):
                raise TimeoutError(f"no message within {timeout:.1f} s after {self._seen}")
            self._seen += 1
            return self._messages[self._seen - 1]

    def wait_for(self, predicate, timeout=DEADLINE):
        """The next message that satisfies predicate; those before it are passed over."""
        deadline = time.monotonic() + timeout
        while True:
            message = self.next(max(0.0, deadline - time.monotonic()))
            if predicate(message):
                return message

    def received(self):
        """All messages so far, whether next() has come to them or not."""
        with self._arrived:
            return list(self._messages)

    def unsub(self):
        self._client.unsub(self._sid)


class Client:
    """Connects at once, or raises OSError."""

    def __init__(self, url, timeout=DEADLINE):
        self.errors = []  # texts of -ERR
        self.closed = False  # by the server, or by close()
        self._subscriptions = {}
        self._last_sid = 0
        self._pongs = collections.deque()
        self._lock = threading.Lock()
        address = urlsplit(url)
        self._socket = socket.create_connection((address.hostname, address.port), timeout)
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._input = self._socket.makefile("rb")
        self.info = json.loads(self._input.readline().removeprefix(b"INFO "))
        options = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True,
                   "lang": "test", "version": "1", "name": "test"}
        self.send(b"CONNECT " + json.dumps(options).encode() + b"\r\n")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.flush(timeout)
        except OSError:
            self.close()
            raise

    def send(self, data):
        """Raw bytes, as they are."""
        with self._lock:
            self._socket.sendall(data)

    def sub(self, subject, queue="", on_message=None):
        with self._lock:
            self._last_sid += 1
            sid = str(self._last_sid)
            subscription = Subscription(self, sid, on_message)
            self._subscriptions[sid] = subscription
            self._socket.sendall(f"SUB {subject} {queue} {sid}\r\n".encode())
        return subscription

    def unsub(self, sid):
        with self._lock:
            self._subscriptions.pop(sid, None)
            self._socket.sendall(f"UNSUB {sid}\r\n".encode())

    def pub(self, subject, data=b"", reply="", headers=None):
        self.send(pub_bytes(subject, data, reply, headers))

    def inbox(self):
        """A subject of its own and the subscription on it."""
        subject = f"_INBOX.{secrets.token_hex(8)}"
        return subject, self.sub(subject)

    def request(self, subject, data=b"", headers=None, timeout=DEADLINE):
        """The first answer, be it an error or status 503."""
        reply, answers = self.inbox()
        try:
            self.pub(subject, data, reply, headers)
            return answers.next(timeout)
        finally:
            answers.unsub()

    def flush(self, timeout=DEADLINE):
        """Returns once the server has taken everything sent before."""
        pong = threading.Event()
        with self._lock:
            self._pongs.append(pong)
            self._socket.sendall(b"PING\r\n")
            if self.closed:
                pong.set()
        if not pong.wait(timeout):
            raise TimeoutError(f"no PONG within {timeout:.1f} s")
        if self.closed:
            raise ConnectionError(f"connection closed: {self.errors}")

    def close(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the server closed it before us
        self._reader.join()
        self._input.close()
        self._socket.close()

    def _read(self):
        try:
            while line := self._input.readline():
                self._dispatch(line)
        except OSError:
            pass  # reset by the server: closed like any other
        with self._lock:
            self.closed = True
            for pong in self._pongs:
                pong.set()

    def _dispatch(self, line):
        verb, _, rest = line.rstrip(b"\r\n").partition(b" ")
        if verb in (b"MSG", b"HMSG"):
            self._deliver(verb == b"HMSG", rest.decode().split())
        elif verb == b"PING":
            self.send(b"PONG\r\n")
        elif verb == b"PONG":
            self._pongs.popleft().set()
        elif verb == b"-ERR":
            self.errors.append(rest.decode().strip("'"))

    def _deliver(self, has_headers, words):
        subject, sid = words[0], words[1]
        sizes = [int(word) for word in words[-2 if has_headers else -1:]]
        reply = words[2] if len(words) > 2 + len(sizes) else ""
        payload = self._input.read(sizes[-1] + 2)[:-2]
        head = sizes[0] if has_headers else 0
        status, headers = parse_headers(payload[:head])
        with self._lock:
            subscription = self._subscriptions.get(sid)
        if subscription:
            subscription.deliver(Message(subject, reply, headers, status, payload[head:]))


def pub_bytes(subject, data=b"", reply="", headers=None):
    """A PUB or HPUB as it goes on the wire, so that many can go in one write."""
    if headers is None:
        return f"PUB {subject} {reply} {len(data)}\r\n".encode() + data + b"\r\n"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"NATS/1.0\r\n{lines}\r\n".encode()
    return (f"HPUB {subject} {reply} {len(head)} {len(head) + len(data)}\r\n".encode()
            + head + data + b"\r\n")


def parse_headers(head):
    headers = Headers()
    if not head:
        return None, headers
    first, *lines = head.decode().split("\r\n")
    for line in filter(None, lines):
        name, _, value = line.partition(":")
        headers[name] = value.strip()
    status = first.split()[1:2]
    return int(status[0]) if status else None, headers
