"""Real cgroups of this machine: v1 with cpuacct and memory where it has them, else v2."""

import contextlib
import functools
import os
from pathlib import Path

from processes import eventually

ROOT = Path("/sys/fs/cgroup")
V1 = ("cpuacct", "memory")
V2 = ("unified",)
# Nothing but v2; a hybrid machine has a v2 tree without controllers beside v1.
IS_V2 = (ROOT / "cgroup.controllers").exists()
HERE = V2 if IS_V2 else V1
CONTROLLERS = ("cpu", "memory")


def is_full_v2():
    """Nothing but v2, and whoever is below the root has CPU and memory counted."""
    enabled = (ROOT / "cgroup.subtree_control").read_text().split() if IS_V2 else ()
    return all(controller in enabled for controller in CONTROLLERS)


def directory_of(hierarchy, path):
    root = ROOT if IS_V2 and hierarchy == "unified" else ROOT / hierarchy
    return root / path.strip("/")


def enable_controllers(directory):
    """For the children of a v2 cgroup, those of CONTROLLERS that it has itself."""
    there = (directory / "cgroup.controllers").read_text().split()
    switch = directory / "cgroup.subtree_control"
    enabled = switch.read_text().split()
    for controller in CONTROLLERS:
        if controller in there and controller not in enabled:
            switch.write_text(f"+{controller}")


class Cgroup:
    """A cgroup in each of the hierarchies; made by make(), or there already."""

    def __init__(self, path, hierarchies=HERE):
        self.path = "/" + path.strip("/")
        self.hierarchies = hierarchies
        self.directories = {each: directory_of(each, path) for each in hierarchies}

    def child(self, name):
        return Cgroup(f"{self.path}/{name}", self.hierarchies)

    def is_there(self):
        return any(directory.exists() for directory in self.directories.values())

    def make(self):
        for hierarchy, directory in self.directories.items():
            if hierarchy == "unified":
                enable_controllers(directory.parent)
            directory.mkdir()

    def remove(self):
        """A member that was killed may take a moment to be gone."""
        for directory in self.directories.values():
            eventually("the cgroup can be removed", lambda: removed(directory), 10)

    def add(self, pid):
        for hierarchy in self.hierarchies:
            self.write(hierarchy, "cgroup.procs", pid)

    def read(self, hierarchy, file):
        return (self.directories[hierarchy] / file).read_text()

    def write(self, hierarchy, file, value):
        (self.directories[hierarchy] / file).write_text(str(value))

    def stat(self, hierarchy, file, key):
        lines = (line.split() for line in self.read(hierarchy, file).splitlines())
        return next(int(line[1]) for line in lines if line[0] == key)

    def cpu_seconds(self):
        """As the kernel counts them."""
        if "cpuacct" in self.directories:
            return int(self.read("cpuacct", "cpuacct.usage")) / 1e9
        return self.stat("unified", "cpu.stat", "usage_usec") / 1e6

    def working_set(self):
        if "memory" in self.directories:
            return (int(self.read("memory", "memory.usage_in_bytes")) -
                    self.stat("memory", "memory.stat", "total_inactive_file"))
        return (int(self.read("unified", "memory.current")) -
                self.stat("unified", "memory.stat", "inactive_file"))

    def limit_memory(self, limit):
        """bytes, or "max" on v2."""
        if "memory" in self.directories:
            self.write("memory", "memory.limit_in_bytes", limit)
        else:
            self.write("unified", "memory.max", limit)


def removed(directory):
    with contextlib.suppress(OSError):
        directory.rmdir()
    return not directory.exists()


@functools.cache
def why_not(hierarchies):
    """Empty when cgroups can be made in all of them; tried once."""
    probe = Cgroup(f"meterd-probe-{os.getpid()}", hierarchies)
    try:
        probe.make()
    except OSError as error:
        return f"no cgroup can be made in {' and '.join(hierarchies)} here: {error}"
    finally:
        probe.remove()
    return ""


def cpu_used(samples, cgroup, span_ms):
    """CPU seconds over span_ms: as published (rates times intervals), and by the kernel's counter."""
    samples.wait_for(lambda sample: "cpu_percent" in sample)
    first = last = samples.next()
    counted = -cgroup.cpu_seconds()
    published = 0.0
    while last["at"] - first["at"] < span_ms:
        sample = samples.next()
        published += sample["cpu_percent"] / 100 * (sample["at"] - last["at"]) / 1000
        last = sample
    return published, counted + cgroup.cpu_seconds()


def id_of(container_cgroup):
    return container_cgroup.path.split("docker-")[1].removesuffix(".scope")
