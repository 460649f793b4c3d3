"""Real programs that have a page of metrics, from Debian's packages: each in a folder and on free ports of its own."""

import contextlib
import json
import os
import shutil
import socket
import urllib.request
from pathlib import Path

import pytest

from natsclient import DEADLINE
from processes import Process, eventually

HOST = "127.0.0.1"
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
LISTENING = "0A"  # the state of a socket in /proc/<pid>/net/tcp


def fetch(url):
    """The body, as text."""
    with DIRECTLY.open(url, timeout=DEADLINE) as response:
        return response.read().decode()


def is_served(url):
    with contextlib.suppress(OSError):
        return bool(fetch(url))
    return False


class Exporter(Process):
    """A program that serves; .metrics_url is where its page is."""

    def __init__(self, program, args, directory):
        home = {name: str(directory) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
        super().__init__(program, [path_of(program), *args], directory / "log", {**os.environ, **home})
        self.metrics_url = None

    def wait_page(self, url):
        """Until it serves this page of metrics."""
        self.wait_served(url)
        self.metrics_url = url
        return self

    def wait_served(self, url):
        self._wait(f"{self.name} serves {url}", lambda: is_served(url))

    def wait_port(self):
        """The port that it has picked by itself."""
        return self._wait(f"{self.name} listens", lambda: listening_port(self.pid))

    def _wait(self, what, predicate):
        try:
            return eventually(what, lambda: self._runs() and predicate())
        except AssertionError as failure:
            self.kill()  # nobody has it yet who would
            raise AssertionError(f"{failure}, log:\n{self.log()}") from None

    def _runs(self):
        assert self.popen.poll() is None, f"{self.name} has ended"
        return True


class Ports:
    """Free ports for a program that cannot pick them itself, but shares them: nobody else is given one meanwhile.

    Connections go to the program alone, as nobody listens here.
    """

    def __init__(self, n):
        self._sockets = [socket.socket() for _ in range(n)]
        for each in self._sockets:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            each.bind((HOST, 0))

    def __enter__(self):
        return [each.getsockname()[1] for each in self._sockets]

    def __exit__(self, *_):
        for each in self._sockets:
            each.close()


def path_of(program):
    """Of a program that may be where only root looks; the test is skipped when it is not installed."""
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin")
    if not path:
        pytest.skip(f"{program} is not installed")
    return path


def listening_port(pid):
    """The TCP port that a process listens on; None when there is none yet."""
    sockets = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            sockets.add(os.readlink(descriptor))
    lines = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return next((int(line[1].partition(":")[2], 16) for line in lines
                 if line[3] == LISTENING and f"socket:[{line[9]}]" in sockets), None)


def caddy(directory, upstream):
    """A reverse proxy at .site with three handlers in a chain, each of which counts."""
    path = directory / "caddy.json"
    chain = [{"handler": "headers", "response": {"set": {"X-Passed": ["caddy"]}}},
             {"handler": "encode", "encodings": {"gzip": {}}},
             {"handler": "reverse_proxy", "upstreams": [{"dial": upstream}]}]
    with Ports(2) as (admin, site):
        path.write_text(json.dumps({
            "admin": {"listen": f"{HOST}:{admin}", "config": {"persist": False}},
            "apps": {"http": {"servers": {"web": {
                "listen": [f"{HOST}:{site}"], "automatic_https": {"disable": True}, "metrics": {},
                "routes": [{"handle": chain}]}}}}}))
        program = Exporter("caddy", ["run", "--config", str(path)], directory)
        program.wait_page(f"http://{HOST}:{admin}/metrics")
        program.site = f"http://{HOST}:{site}"
        program.wait_served(program.site)  # begins later
    return program


HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 5s
frontend web
    bind {HOST}:{site}
    http-request return status 200 content-type text/plain string hello
frontend stats
    bind {HOST}:{stats}
    stats enable
    stats uri /
frontend metrics
    bind {HOST}:{metrics}
    http-request use-service prometheus-exporter
"""


def haproxy(directory):
    """A site at .site, and at .stats what haproxy tells of itself."""
    path = directory / "haproxy.cfg"
    with Ports(3) as (site, stats, metrics):
        path.write_text(HAPROXY.format(HOST=HOST, site=site, stats=stats, metrics=metrics))
        program = Exporter("haproxy", ["-db", "-f", str(path)], directory)
        program.wait_page(f"http://{HOST}:{metrics}/metrics")
    program.site, program.stats = f"http://{HOST}:{site}", f"http://{HOST}:{stats}"
    return program


def prometheus(directory, scrapes=()):
    """At .site; scrapes: (job, host:port, path) that it fetches every 200 ms."""
    path = directory / "prometheus.json"  # JSON is YAML
    path.write_text(json.dumps({
        "global": {"scrape_interval": "200ms", "scrape_timeout": "200ms"},
        "scrape_configs": [{"job_name": job, "metrics_path": page, "static_configs": [{"targets": [target]}]}
                           for job, target, page in scrapes]}))
    program = with_picked_port("prometheus", directory, f"--config.file={path}",
                               f"--storage.tsdb.path={directory / 'data'}", f"--web.listen-address={HOST}:0")
    program.wait_served(f"{program.site}/-/ready")
    return program


def node_exporter(directory):
    return with_picked_port("prometheus-node-exporter", directory, f"--web.listen-address={HOST}:0")


def victoria_metrics(directory):
    return with_picked_port("victoria-metrics", directory, f"-httpListenAddr={HOST}:0",
                            "-memory.allowedBytes=64MB", "-loggerLevel=ERROR", f"-storageDataPath={directory / 'data'}")


def with_picked_port(name, directory, *args):
    program = Exporter(name, args, directory)
    program.site = f"http://{HOST}:{program.wait_port()}"
    return program.wait_page(f"{program.site}/metrics")
