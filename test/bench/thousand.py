"""What meterd takes of a core with a thousand instances: a real nats-server, real v1 cgroups, each
with a sleeping process in a network namespace of its own, read every 10 seconds.

    thousand.py METERD [--pages] [--quick]

With --pages each also has a page of metrics of 60 KB, which is fetched with every reading. The time
that is measured is as long as all kinds of readings take to come round. Needs to be root; where
cgroups cannot be made it says so and exits with 77.
"""

import contextlib
import ctypes
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

METERD = Path(sys.argv[1]).resolve()
os.environ["METERD"] = str(METERD)
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
sys.dont_write_bytecode = True

ROOT = Path("/sys/fs/cgroup")
HIERARCHIES = ("cpuacct", "memory")
PAGES = "--pages" in sys.argv[2:]
QUICK = "--quick" in sys.argv[2:]
INSTANCES = 20 if QUICK else 1000
# A page has 3/4 of the interval to come, also on a machine that is busy.
INTERVAL_S = 10 if not QUICK else 1 if PAGES else 0.2
LOOK_AGAIN = 12  # readings; the period of what a reading does
TARGET = 15 if PAGES else 1  # % of a core
SKIPPED = 77  # what meson takes for it


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


try:
    from natsclient import Client
    from page_server import P95_MS, PageServers
    from processes import Meterd, NatsServer, eventually
    from messages import Api
except (ImportError, FileNotFoundError) as missing:
    skip(missing)


def prepare_sleeper():
    """In the child: it ends with us, whatever becomes of us."""
    libc = ctypes.CDLL(None)
    libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    libc.unshare(0x40000000)  # CLONE_NEWNET; in the host's where that is not permitted


class Cgroups:
    """One with a sleeper for each instance; a context, which removes all of it."""

    def __init__(self, n):
        self._names = [f"meterd-bench-{os.getpid()}-{i}" for i in range(n)]
        self._sleepers = []

    def __enter__(self):
        try:
            for name in self._names:
                self._make(name)
        except BaseException:
            self.__exit__()
            raise
        return self._names

    def _make(self, name):
        sleeper = subprocess.Popen(["sleep", "infinity"], stdin=subprocess.DEVNULL,
                                   preexec_fn=prepare_sleeper)
        self._sleepers.append(sleeper)
        for hierarchy in HIERARCHIES:
            (ROOT / hierarchy / name).mkdir()
            (ROOT / hierarchy / name / "cgroup.procs").write_text(str(sleeper.pid))

    def __exit__(self, *_):
        for sleeper in self._sleepers:
            sleeper.kill()
        for sleeper in self._sleepers:
            sleeper.wait()
        for name in self._names:
            for hierarchy in HIERARCHIES:
                remove(ROOT / hierarchy / name)


def remove(directory):
    """Its last process may have left it just now."""
    for _ in range(1000):
        try:
            return directory.rmdir()
        except FileNotFoundError:
            return None
        except OSError:
            time.sleep(0.001)
    return None


def cpu_seconds(pid):
    """Used so far, in user and system mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(meterd):
    before, cpu, began = meterd.stats(), cpu_seconds(meterd.pid), time.monotonic()
    time.sleep(INTERVAL_S * LOOK_AGAIN)
    elapsed = time.monotonic() - began
    cpu = cpu_seconds(meterd.pid) - cpu
    after = meterd.stats()
    return elapsed, cpu, {name: after[name] - before[name] for name in after}


def report(elapsed, cpu, done, kept):
    percent = 100 * cpu / elapsed
    readings = done["cgroup_readings"]
    print(f"instances                  {INSTANCES}, every {INTERVAL_S} s, for {elapsed:.0f} s")
    print(f"readings, failed           {readings}, {done['readings_failed']}")
    print(f"files kept open            {kept}")
    print(f"CPU, % of a core           {percent:.2f} (target: under {TARGET:g})")
    print(f"CPU, us a sample           {1e6 * cpu / max(readings, 1):.0f} "
          f"(the reading, {'its page, ' if PAGES else ''}its place in the ring, and its way out)")


def report_pages(done, connections):
    print(f"pages, failed              {done['scrapes']}, {done['scrapes_failed']}")
    print(f"connections to pages       {connections}")


def check_readings(done):
    assert done["readings_failed"] == 0 and done["cgroup_readings"] >= INSTANCES


def check_pages(done, api, names):
    """All were fetched, and the latest sample of each instance tells what is on its page."""
    assert done["scrapes_failed"] == 0 and done["scrapes"] >= INSTANCES
    for name in names:
        sample = api.latest(name)["sample"]
        assert sample.get("requests_per_sec", 0) > 0, (name, sample)
        assert math.isclose(sample.get("latency_p95_ms", 0), P95_MS), (name, sample)


def targets(names, pages):
    """What each instance's event says of it."""
    said = {name: {"cgroup_path": f"/{name}"} for name in names}
    if pages:
        for name, url in zip(names, pages.urls, strict=True):
            said[name]["metrics_url"] = url
    return said


def start_meterd(stack, scratch, server):
    interval = f"{int(INTERVAL_S * 1000)}ms"
    meterd = Meterd(["--interval", interval], Path(scratch) / "meterd.log", server.url)
    stack.callback(meterd.close)
    meterd.wait_ready()
    return meterd


def main():
    if not all(os.access(ROOT / each / "cgroup.procs", os.W_OK) for each in HIERARCHIES):
        skip("not root, or no v1 cgroups here")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="meterd-bench-"))
        names = stack.enter_context(Cgroups(INSTANCES))
        pages = stack.enter_context(PageServers(INSTANCES)) if PAGES else None
        try:
            server = NatsServer(scratch)
        except FileNotFoundError:
            skip("no nats-server here")
        stack.callback(server.close)
        meterd = start_meterd(stack, scratch, server)
        api = Api(stack.enter_context(contextlib.closing(Client(server.url))))
        for name, target in targets(names, pages).items():
            api.track(name, **target)
        # The third reading of each is the first that is one of many.
        eventually("all were read three times",
                   lambda: meterd.stats()["cgroup_readings"] >= 3 * INSTANCES, 5 * INTERVAL_S + 30)
        elapsed, cpu, done = measure(meterd)
        report(elapsed, cpu, done, meterd.last_stats()["files_kept"])
        check_readings(done)
        if pages:
            report_pages(done, pages.connections)
            check_pages(done, api, names)


if __name__ == "__main__":
    main()
