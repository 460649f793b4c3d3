"""nats-server and meterd as real processes, each with its log in the test's own directory."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from messages import Api, NoResponders
from natsclient import DEADLINE, Client

ROOT = Path(__file__).resolve().parents[2]
METERD = Path(os.environ.get("METERD", ROOT / "build/src/meterd"))
METERCTL = Path(os.environ.get("METERCTL", ROOT / "build/src/meterctl"))

FAST = "200ms"  # the interval where timing is not the point

# What no log may contain: the sanitizers' reports and failed assertions.
FAULTS = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "Assertion")
STATS = re.compile(r"\bstats ((?:\w+=\d+ ?)+)$", re.MULTILINE)

# Everything that runs, so that a failing test can show the logs.
running = set()


def eventually(what, predicate, timeout=DEADLINE):
    """Polls until predicate() is true and returns its value; `what` names it in the failure."""
    deadline = time.monotonic() + timeout
    while not (value := predicate()):
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(0.01)
    return value


class Process:
    """A child whose stderr and stdout go to a log file."""

    def __init__(self, name, argv, log, env=None):
        self.name = name
        self._log = Path(log)
        with self._log.open("ab") as out:
            self.popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out,
                                          stderr=subprocess.STDOUT, env=env)
        running.add(self)

    @property
    def pid(self):
        return self.popen.pid

    def descriptors(self):
        """How many it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def log(self):
        return self._log.read_text(errors="replace")

    def signal(self, number):
        self.popen.send_signal(number)

    def stop(self):
        """SIGSTOP, and returns once it has stopped."""
        self.signal(signal.SIGSTOP)
        eventually(f"{self.name} stopped", lambda: self.status("State").startswith("T"))

    def cont(self):
        self.signal(signal.SIGCONT)

    def status(self, key):
        """A line of /proc/<pid>/status."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{key}:"):
                return line.partition(":")[2].strip()
        raise KeyError(key)

    def kill(self):
        """SIGKILL, which also ends a stopped process."""
        self.popen.kill()
        self.wait()

    def wait(self, timeout=DEADLINE):
        """The exit status."""
        status = self.popen.wait(timeout)
        running.discard(self)
        return status


class NatsServer:
    """A nats-server on a free port of 127.0.0.1, which stays the same over kill() and start()."""

    def __init__(self, directory, config=""):
        self.directory = Path(directory)
        self.port = -1
        self._process = None
        self._clients = []
        self._config = self.directory / "nats.conf"
        self._config.write_text(config)
        self.start()

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.port}"

    def start(self):
        self._process = Process(
            "nats-server", ["nats-server", "-c", str(self._config), "-a", "127.0.0.1",
                            "-p", str(self.port), "--ports_file_dir", str(self.directory)],
            self.directory / "nats.log")
        self.port = eventually("nats-server listens", self._listening_port)

    def _listening_port(self):
        assert self._process.popen.poll() is None, self._process.log()
        ports = self.directory / f"nats-server_{self._process.pid}.ports"
        try:
            return int(json.loads(ports.read_text())["nats"][0].rpartition(":")[2])
        except (FileNotFoundError, json.JSONDecodeError):
            return None  # not written yet, or only half

    def connect(self):
        """A new client, closed with the server."""
        client = Client(self.url)
        self._clients.append(client)
        return client

    def stop(self):
        self._process.stop()

    def cont(self):
        self._process.cont()

    def kill(self):
        self._process.kill()
        for client in self._clients:
            client.close()
        self._clients.clear()

    def close(self):
        self.kill()


class Meterd(Process):
    """A meterd. close() is the end of a test: it must stop cleanly, its log without faults.

    under: what runs it, such as valgrind and its options.
    """

    def __init__(self, args, log, url=None, env=None, under=()):
        self.url = url
        self.node = option(args, "--node", None)
        self.prefix = option(args, "--subject-prefix", "metrics")
        argv = [*under, str(METERD), *(["--server", url] if url else []), *args]
        super().__init__("meterd", argv, log, clean_environment(env))

    def wait_ready(self, timeout=DEADLINE):
        """Until it answers metrics.list."""
        client = Client(self.url)
        api = Api(client, prefix=self.prefix)
        try:
            eventually(f"meterd answers, log:\n{self.log()}", lambda: self._answers(api), timeout)
        finally:
            client.close()

    def _answers(self, api):
        assert self.popen.poll() is None, f"meterd has ended, log:\n{self.log()}"
        try:
            if self.node is None:
                return "instances" in api.list()
            return self.node in api.gather_lists(1)
        except NoResponders:
            return False

    def wait_handles_signals(self):
        """Until it is up, also without NATS: it has installed its handler for SIGUSR1."""
        bit = 1 << (signal.SIGUSR1 - 1)
        eventually("meterd handles signals", lambda: int(self.status("SigCgt"), 16) & bit)

    def stats(self):
        """Its counters and gauges at this moment: on SIGUSR1 it logs them."""
        before = len(STATS.findall(self.log()))
        self.signal(signal.SIGUSR1)
        eventually("meterd logs its stats", lambda: len(STATS.findall(self.log())) > before)
        return self.last_stats()

    def last_stats(self):
        """What it logged last, such as at its end."""
        pairs = STATS.findall(self.log())[-1].split()
        return {name: int(value) for name, value in (pair.split("=") for pair in pairs)}

    def wait_stats(self, what, predicate):
        """Polls stats() until predicate(stats) is true and returns them."""
        found = {}
        eventually(what, lambda: found.update(self.stats()) or predicate(found))
        return found

    def terminate(self):
        """SIGTERM; the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def close(self):
        if self.popen.poll() is None:
            self.cont()
            try:
                self.terminate()
            except subprocess.TimeoutExpired:
                self.kill()
        running.discard(self)
        log = self.log()
        faults = [fault for fault in FAULTS if fault in log]
        assert not faults and self.popen.returncode == 0, \
            f"meterd ended with {self.popen.returncode}, faults {faults}, log:\n{log}"


def option(args, name, default):
    return args[args.index(name) + 1] if name in args else default


def clean_environment(extra=None):
    """Ours, without settings of meterd that happen to be in it."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("METERD") and name != "NATS_URL"}
    return {**kept, **(extra or {})}


def run(program, *args, env=None):
    """Runs METERD or METERCTL to its end."""
    return subprocess.run([program, *args], env=clean_environment(env), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=DEADLINE, check=False)
