"""Real containers: podman with runc, which knows nothing of this machine's own and leaves nothing behind.

Each test session has an engine in a mount namespace and a network namespace of its own: what podman
writes is on file systems that only this engine sees, and its bridge, addresses and rules of the
firewall are nobody else's. Processes and cgroups are those of the machine, so that meterd, which runs
outside, finds them as it does any other engine's.
"""

import contextlib
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from processes import Process, eventually
from transfer import MTU
from workers import Worker

CGROUPS = Path("/sys/fs/cgroup")
UNIFIED = (CGROUPS / "cgroup.controllers").exists()  # v2 alone, not v1 with a v2 tree beside it
DEFAULT_PARENT = "/libpod_parent"  # where podman puts containers without a word about it
IMAGE = "localhost/meterd-test"
BRIDGE = "meterd-test"  # the name of a network with a large MTU, see transfer.py
APPLETS = ("sh", "sleep", "dd")

# Limits within those of whoever runs the tests: raising one takes CAP_SYS_RESOURCE.
CONFIG = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[network]
network_backend = "netavark"
network_config_dir = "/run/networks"
"""
STORAGE = """
[storage]
driver = "vfs"
graphroot = "/var/lib/containers/storage"
runroot = "/run/containers/storage"
"""

# Holds the namespaces until its standard input ends, also because the session was killed.
HOLDER = """
set -e
for directory in /run /dev/shm /var/lib/containers; do
    mkdir -p $directory
    mount -t tmpfs tmpfs $directory
done
ip link set lo up
echo ready
cat >/dev/null
podman rm --all --force --time 0
"""


class EngineError(OSError):
    """What podman says, or why it has no namespaces."""


def remove_parent(path):
    """Podman leaves the parent of its containers' cgroups behind; it stays while others are in it."""
    for hierarchy in (CGROUPS, *CGROUPS.iterdir()):
        for directory in (hierarchy / path[1:] / "conmon", hierarchy / path[1:]):
            with contextlib.suppress(OSError):
                directory.rmdir()


def write_image(archive, worker_program):
    """A root file system of busybox and the worker."""
    with tarfile.open(archive, "w") as tar:
        tar.add(Path(shutil.which("busybox") or "busybox").resolve(), "bin/busybox")
        tar.add(worker_program, "bin/worker")
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)


class Engine:
    """close() removes every container and the namespaces. OSError when no container can run here."""

    def __init__(self, directory, worker_program):
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith("CONTAINER")}
        self.env["NETAVARK_FW"] = "iptables"  # not one that runs on the machine
        for name, text in (("CONTAINERS_CONF", CONFIG), ("CONTAINERS_STORAGE_CONF", STORAGE)):
            file = Path(directory) / f"{name.lower()}.conf"
            file.write_text(text)
            self.env[name] = str(file)
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "--net", "--propagation", "private", "sh", "-c", HOLDER],
            env=self.env, text=True, start_new_session=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self._holder.stdout.readline() != "ready\n":
            raise EngineError(f"no namespaces: {self._holder.communicate()[1].strip()}")
        try:
            self._prepare(Path(directory) / "image.tar", worker_program)
        except OSError:
            self._holder.communicate(timeout=60)
            raise

    def _prepare(self, archive, worker_program):
        write_image(archive, worker_program)
        self.podman("import", archive, IMAGE)
        self.podman("run", "--rm", "--network", "none", "--memory", "64m", "--cpus", "0.5", IMAGE,
                    "/bin/sh", "-c", "/bin/worker 0 100")  # ends at once, as nobody talks to it

    def add_bridge(self):
        self.podman("network", "create", "--disable-dns", "--opt", f"mtu={MTU}", BRIDGE)

    def command(self, *argv, network=True):
        """argv, to be run where podman runs; network=False: in the host's network namespace."""
        namespaces = ["--mount", "--net"] if network else ["--mount"]
        return ["nsenter", "--target", str(self._holder.pid), *namespaces, *map(str, argv)]

    def podman(self, *args, network=True):
        """What it prints."""
        done = subprocess.run(self.command("podman", *args, network=network), env=self.env,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              check=False)
        if done.returncode:
            raise EngineError(f"podman {args[0]}: {done.stderr.strip()}")
        return done.stdout.strip()

    def run(self, name, *options, duty=0, network="none"):
        """Starts a container whose worker is busy for duty percent of the time."""
        self.podman("run", "--detach", "--name", name, "--network", network, *options, IMAGE,
                    "/bin/sh", "-c", f"sleep 1000000 | /bin/worker {duty} 100",
                    network=network != "host")
        return Container(self, name)

    def remove(self, *names):
        self.podman("rm", "--force", "--ignore", "--time", "0", *names)

    def service(self, socket, log):
        """Starts podman's service of Docker's API on that socket and returns once it listens."""
        service = Process("podman", self.command("podman", "system", "service", "--time", "0",
                                                 f"unix://{socket}"), log, self.env)
        eventually("podman's service listens", lambda: Path(socket).is_socket())
        return service

    def close(self):
        _, said = self._holder.communicate(timeout=60)
        assert self._holder.returncode == 0, f"containers were left behind: {said}"


class Cgroup:
    """What the kernel counts for a cgroup and all below it."""

    def __init__(self, path):
        self.path = path

    def _read(self, hierarchy, file):
        return (CGROUPS / ("" if UNIFIED else hierarchy) / self.path[1:] / file).read_text()

    def _read_key(self, hierarchy, file, key):
        lines = (line.split() for line in self._read(hierarchy, file).splitlines())
        return next(int(line[1]) for line in lines if line[0] == key)

    def cpu_seconds(self):
        if UNIFIED:
            return self._read_key("cpu", "cpu.stat", "usage_usec") / 1e6
        return int(self._read("cpuacct", "cpuacct.usage")) / 1e9

    def memory_bytes(self):
        """(all that is charged to it, what of that are inactive pages of files)"""
        usage, inactive = (("memory.current", "inactive_file") if UNIFIED else
                           ("memory.usage_in_bytes", "total_inactive_file"))
        return int(self._read("memory", usage)), self._read_key("memory", "memory.stat", inactive)


class Container:
    """A container that was started; the id and the pid are those that it had then."""

    def __init__(self, engine, name):
        self._engine = engine
        self.name = name
        self._inspect()

    def _inspect(self):
        found, = json.loads(self._engine.podman("inspect", "--type", "container", self.name))
        self.id = found["Id"]
        self.pid = found["State"]["Pid"]
        self.cgroup = Cgroup(found["State"]["CgroupPath"])
        networks = found["NetworkSettings"].get("Networks") or {}
        self.address = networks.get(BRIDGE, {}).get("IPAddress")

    def restart(self):
        """The same container with another process, and with counters that begin anew."""
        self._engine.podman("restart", "--time", "0", self.name)
        self._inspect()

    def remove(self):
        self._engine.remove(self.name)

    def worker(self):
        """A worker that obeys, in this container."""
        runner = self._engine.command("podman", "exec", "--interactive", self.name)
        return Worker("/bin/worker", runner=runner, env=self._engine.env)

    def execute(self, *argv):
        return self._engine.podman("exec", self.name, *argv)

    def network_bytes(self):
        """(received, sent) over all interfaces but lo, as its own network namespace counts them."""
        lines = Path(f"/proc/{self.pid}/net/dev").read_text().splitlines()[2:]
        interfaces = (line.replace(":", " ").split() for line in lines)
        counted = [(int(each[1]), int(each[9])) for each in interfaces if each[0] != "lo"]
        return sum(each[0] for each in counted), sum(each[1] for each in counted)

    def statistics(self):
        """What runc says of it."""
        done = subprocess.run(self._engine.command("runc", "events", "--stats", self.id),
                              capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)["data"]
