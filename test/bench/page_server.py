"""Pages of metrics for a benchmark: 60 KB of text for each instance, on a port of its own, so that
each has a connection of its own.
"""

import asyncio
import ctypes
import multiprocessing
import signal

PROCESSES = 4
PAGE_BYTES = 60_000
ROUTES = 10
REQUESTS = 100  # of each route, from one answer to the next
# Of each 100 so many took at most so many seconds.
TOOK = {"0.005": 5, "0.01": 20, "0.025": 40, "0.05": 60, "0.1": 75, "0.25": 85, "0.5": 92, "1": 97,
        "2.5": 99, "5": 100, "10": 100, "+Inf": 100}
P95_MS = 800  # 95 is 3/5 of the way from 92 to 97
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def make_template():
    """A page with %d for each counter, in the order of Page._counters()."""
    counter, histogram = "http_requests_total", "http_request_duration_seconds"
    labels = [f'method="GET",route="/api/v1/{i}",code="200"' for i in range(ROUTES)]
    lines = [f"# HELP {histogram} Time to answer.", f"# TYPE {histogram} histogram"]
    for each in labels:
        lines += [f'{histogram}_bucket{{{each},le="{bound}"}} %d' for bound in TOOK]
        lines += [f"{histogram}_sum{{{each}}} %d", f"{histogram}_count{{{each}}} %d"]
    lines += [f"# HELP {counter} Requests answered.", f"# TYPE {counter} counter"]
    lines += [f"{counter}{{{each}}} %d" for each in labels]
    text = "".join(f"{line}\n" for line in lines).encode()
    return text + make_runtime_metrics(PAGE_BYTES - len(text))


def make_runtime_metrics(size):
    """At least so many bytes that are of no concern to meterd."""
    text = b"# HELP runtime_pool_bytes Memory by pool.\n# TYPE runtime_pool_bytes gauge\n"
    pool = 0
    while len(text) < size:
        text += b'runtime_pool_bytes{pool="%d",space="heap"} %d\n' % (pool, 4096 * pool)
        pool += 1
    return text


class Page:
    """That of one instance; its counters grow with each answer."""

    _template = make_template()

    def __init__(self):
        self._requests = 1_000_000

    def _counters(self):
        n = self._requests
        of_route = (*(n * share // 100 for share in TOOK.values()), n // 5, n)
        return of_route * ROUTES + (n,) * ROUTES

    def answer(self):
        self._requests += REQUESTS
        body = self._template % self._counters()
        return (f"HTTP/1.1 200 OK\r\nContent-Type: {CONTENT_TYPE}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode() + body


class Connection(asyncio.Protocol):
    """Answers whatever is asked with the page, and stays open."""

    def __init__(self, page, connections):
        self._page = page
        self._connections = connections
        self._asked = b""

    def connection_made(self, transport):
        self._transport = transport
        with self._connections.get_lock():
            self._connections.value += 1

    def data_received(self, data):
        *requests, self._asked = (self._asked + data).split(b"\r\n\r\n")
        for _ in requests:
            self._transport.write(self._page.answer())


async def listen(n, connections, pipe):
    """On n free ports, which are told through the pipe; for ever."""
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(lambda page=Page(): Connection(page, connections),
                                        "127.0.0.1", 0) for _ in range(n)]
    pipe.send([server.sockets[0].getsockname()[1] for server in servers])
    await asyncio.Event().wait()


def serve(n, connections, pipe):
    """A process of servers: it ends with ours, whatever becomes of us."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_DFL)
    asyncio.run(listen(n, connections, pipe))


class PageServers:
    """Serve n pages; a context, which ends them. It forks, so there must be no threads yet."""

    def __init__(self, n):
        self._n = n
        self._processes = []
        self._connections = multiprocessing.Value("i", 0)

    def __enter__(self):
        """From here on .urls are those of the pages."""
        self.urls = []
        pipes = [self._start(range(i, self._n, PROCESSES)) for i in range(PROCESSES)]
        for pipe in pipes:
            self.urls += [f"http://127.0.0.1:{port}/metrics" for port in pipe.recv()]
        return self

    def _start(self, pages):
        pipe, theirs = multiprocessing.Pipe(duplex=False)
        self._processes.append(multiprocessing.get_context("fork").Process(
            target=serve, args=(len(pages), self._connections, theirs), daemon=True))
        self._processes[-1].start()
        theirs.close()
        return pipe

    @property
    def connections(self):
        """How many were made so far."""
        return self._connections.value

    def __exit__(self, *_):
        for process in self._processes:
            process.kill()
            process.join()
