"""design.md, section 7, source cgroup: what only a machine with nothing but cgroup v2 shows.

test/uml/run makes such a machine; on others this is skipped.
"""

import os
import secrets
import subprocess
from types import SimpleNamespace

import pytest

from cgroups import cpu_used, is_full_v2
from messages import MIB, now_ms
from processes import eventually

pytestmark = pytest.mark.skipif(not is_full_v2(), reason="not a machine with nothing but cgroup v2 "
                                "and its controllers cpu and memory enabled; test/uml/run makes one")

SPAN_MS = 8000
NETWORK = "network_in_bytes_per_sec"


def mem_total():
    with open("/proc/meminfo") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemTotal:"))


# --- CPU ---

@pytest.mark.parametrize("most", ["max", "20000 100000"], ids=["busy", "a fifth at most"])
def test_cpu(meterd, api, watch, cgroup, contained, most):
    """Of two threads that want all there is: within 5 % of cpu.stat, throttled or not."""
    cgroup.write("unified", "cpu.max", most)
    meterd("--interval", "500ms")
    contained(duty=100)
    contained(duty=100)
    samples = watch("one")
    api.track("one", cgroup_path=cgroup.path)
    published, counted = cpu_used(samples, cgroup, SPAN_MS)
    assert counted > 1
    assert (cgroup.stat("unified", "cpu.stat", "nr_throttled") > 0) == (most != "max")
    assert published == pytest.approx(counted, rel=0.05)


def test_cpu_of_all_below(meterd, api, watch, cgroup, new_cgroup, worker):
    """A cgroup without members of its own has used what those below it have."""
    for name, duty in (("a/b/c", 40), ("d", 30)):
        new_cgroup(f"{cgroup.path}/{name}").add(worker(duty=duty).pid)
    meterd("--interval", "500ms")
    samples = watch("one")
    api.track("one", cgroup_path=cgroup.path)
    published, counted = cpu_used(samples, cgroup, SPAN_MS)
    assert cgroup.read("unified", "cgroup.procs") == ""
    assert counted > 1
    assert published == pytest.approx(counted, rel=0.05)


# --- memory ---

def drop_from_cache(path):
    """Else its pages would stay with whoever wrote them."""
    fd = os.open(path, os.O_RDWR)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


@pytest.fixture
def file(tmp_path):
    """64 MiB on a disk: what lies in memory anyhow has no inactive_file."""
    kind = subprocess.run(["stat", "-f", "-c", "%T", tmp_path], capture_output=True, text=True,
                          check=True).stdout.strip()
    if kind in ("tmpfs", "ramfs"):
        pytest.skip(f"{tmp_path} is on a {kind}: set --basetemp")
    path = tmp_path / "file"
    path.write_bytes(b"x" * (64 * MIB))
    drop_from_cache(path)
    return path


def test_memory(meterd, api, watch, cgroup, contained, file):
    """Row 6: memory.current - inactive_file: moved by anonymous memory, and not by a big file read."""
    meterd("--interval", "200ms")
    process = contained()
    samples = watch("one")
    api.track("one", cgroup_path=cgroup.path)
    first = samples.next()
    assert first["memory_used_bytes"] < 8 * MIB
    for change, anonymous, files in (
            (lambda: process.take_anonymous(48 * MIB), 48, 0),
            (lambda: process.map_file(file), 48, 64),
            (lambda: process.take_anonymous(96 * MIB), 48 + 96, 64)):
        change()
        used = first["memory_used_bytes"] + anonymous * MIB
        eventually("the kernel counts it", lambda: abs(cgroup.working_set() - used) < 2 * MIB)
        inactive = cgroup.stat("unified", "memory.stat", "inactive_file")
        assert abs(inactive - files * MIB) < 2 * MIB
        assert int(cgroup.read("unified", "memory.current")) >= (anonymous + files) * MIB
        now = now_ms()
        sample = samples.wait_for(lambda each: each["at"] > now)
        assert abs(sample["memory_used_bytes"] - used) < 2 * MIB


LIMITS = [  # memory.max of an ancestor, its own, and what counts; MIB, None = "max" or absent
    (None, None, None),
    (128, 256, 128),
    (384, 256, 256),
    (384, 96, 96),
    (64, 96, 64),
    (64, None, 64),
    (None, 160, 160),
    (None, 1 << 20, None),
    (192, 1 << 20, 192),
    (1 << 20, 1 << 20, None),
]


@pytest.mark.parametrize("between", [0, 1, 8])
def test_limit(meterd, api, watch, cgroup, new_cgroup, worker, between):
    """memory_limit_bytes is the least of its own and of all above it, and follows when they change."""
    inner = new_cgroup(cgroup.path + "/x" * between + "/own")
    inner.add(worker().pid)
    meterd("--interval", "200ms")
    samples = watch("one")
    api.track("one", cgroup_path=inner.path)
    for of_ancestor, own, counts in LIMITS:
        cgroup.limit_memory(of_ancestor * MIB if of_ancestor else "max")
        inner.limit_memory(own * MIB if own else "max")
        samples.wait_for(lambda sample: sample.get("memory_limit_bytes") ==
                         (counts * MIB if counts else None))


def test_limit_of_the_machine(meterd, api, watch, cgroup, contained):
    """A limit of all the memory there is, or more, is none: absent."""
    meterd("--interval", "200ms")
    contained()
    samples = watch("one")
    api.track("one", cgroup_path=cgroup.path)
    total = mem_total()
    for limit in (total - MIB, total, total - 2 * MIB, total + MIB):
        cgroup.limit_memory(limit)
        samples.wait_for(lambda sample: sample.get("memory_limit_bytes") ==
                         (limit if limit < total else None))


def test_controller_off_and_on(meterd, api, watch, cgroup, new_cgroup, worker):
    """Without the controller there is no memory to be read: absent, and CPU goes on. It may come back."""
    inner = new_cgroup(f"{cgroup.path}/inner")
    inner.limit_memory(64 * MIB)
    inner.add(worker().pid)
    meterd("--interval", "200ms")
    samples = watch("one")
    api.track("one", cgroup_path=inner.path)
    samples.wait_for(lambda sample: sample.get("memory_limit_bytes") == 64 * MIB)
    cgroup.write("unified", "cgroup.subtree_control", "-memory")
    sample = samples.wait_for(lambda each: "memory_used_bytes" not in each)
    assert "cpu_percent" in sample and "memory_limit_bytes" not in sample
    cgroup.write("unified", "cgroup.subtree_control", "+memory")
    samples.wait_for(lambda each: "memory_used_bytes" in each)
    inner.limit_memory(32 * MIB)  # the new file: what was "64" has gone with the old one
    samples.wait_for(lambda each: each.get("memory_limit_bytes") == 32 * MIB)
    assert "last_error" not in api.entries()["one"]


# --- members ---

def test_members_in_children(meterd, api, watch, cgroup, new_cgroup, worker):
    """v2 keeps processes out of inner cgroups; podman puts them into "container". Network is theirs."""
    new_cgroup(f"{cgroup.path}/empty")
    leaf = new_cgroup(f"{cgroup.path}/container")
    process = worker(own_network=True)
    leaf.add(process.pid)
    process.take_anonymous(32 * MIB)
    with pytest.raises(OSError):
        cgroup.add(process.pid)
    meterd("--interval", "200ms")
    samples = watch("one")
    api.track("one", cgroup_path=cgroup.path)
    sample = samples.wait_for(lambda each: NETWORK in each)
    assert sample[NETWORK] == 0
    assert 32 * MIB <= sample["memory_used_bytes"] < 40 * MIB


def test_network_comes_and_goes(meterd, api, watch, cgroup, contained):
    """In the host's network namespace: absent. A member in one of its own brings it."""
    meterd("--interval", "200ms")
    contained()
    samples = watch("one")
    api.track("one", cgroup_path=cgroup.path)
    for sample in samples.take(4):
        assert NETWORK not in sample
    guest = contained(own_network=True)
    assert samples.wait_for(lambda each: NETWORK in each)[NETWORK] == 0
    guest.kill()
    samples.wait_for(lambda each: NETWORK not in each)
    assert "last_error" not in api.entries()["one"]


# --- found by what an engine's tree looks like ---

POD = "pod0e1c2b7a_63a4_4bd1_9f3e_1d0a5c2f8b77"
LAYOUTS = {  # what the container's cgroup is called, and where in it its processes are
    "docker, systemd": ("system.slice/docker-{id}.scope", ""),
    "docker, cgroupfs": ("docker/{id}", ""),
    "podman": ("machine.slice/libpod-{id}.scope", "container"),
    "podman, cgroupfs": ("libpod_parent/libpod-{id}", ""),
    "kubernetes, systemd": (f"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-{POD}.slice/"
                            "cri-containerd-{id}.scope", ""),
    "kubernetes, cgroupfs": ("kubepods/besteffort/" + POD.replace("_", "-") + "/{id}", ""),
}


@pytest.fixture(params=LAYOUTS.values(), ids=LAYOUTS.keys())
def container(request, new_cgroup, worker):
    """.cgroup of one that may have 77 MiB, .id, and .pid of its process; others are around it."""
    path, inside = request.param
    its_id = secrets.token_hex(32)
    cgroup = new_cgroup(path.format(id=its_id))
    cgroup.limit_memory(77 * MIB)
    leaf = new_cgroup(f"{cgroup.path}/{inside}") if inside else cgroup
    above = cgroup.path.rpartition("/")[0]
    for name in (path.rpartition("/")[2].format(id=secrets.token_hex(32)),
                 f"crio-conmon-{its_id}.scope"):
        other = new_cgroup(f"{above}/{name}")
        other.limit_memory(66 * MIB)
        other.add(worker().pid)
    process = worker()
    leaf.add(process.pid)
    process.take_anonymous(16 * MIB)
    return SimpleNamespace(cgroup=cgroup, id=its_id, pid=process.pid)


def test_found(meterd, api, watch, container):
    """By path, by pid, by id and by a part of it: each time that very container."""
    meterd("--interval", "200ms")
    targets = {"path": {"cgroup_path": container.cgroup.path}, "pid": {"pid": container.pid},
               "id": {"container_id": container.id}, "part": {"container_id": container.id[:12]},
               "mounted": {"cgroup_path": str(container.cgroup.directories["unified"])}}
    watches = {name: watch(name) for name in targets}
    for name, target in targets.items():
        api.track(name, **target)
    for name, samples in watches.items():
        sample = samples.next()
        assert sample["memory_limit_bytes"] == 77 * MIB, name
        assert 16 * MIB <= sample["memory_used_bytes"] < 24 * MIB, name
        assert api.entries()[name]["source"] == "cgroup"


def test_monitor_is_left_out(meterd, api, watch, cgroup, new_cgroup, worker):
    """podman with split cgroups: its monitor is beside the container, and not what an id means."""
    its_id = secrets.token_hex(32)
    for name, size in (("container", 16 * MIB), ("supervisor", 32 * MIB)):
        process = worker()
        new_cgroup(f"{cgroup.path}/libpod-{its_id}.scope/{name}").add(process.pid)
        process.take_anonymous(size)
    meterd("--interval", "200ms")
    samples = watch("one")
    api.track("one", container_id=its_id)
    assert 16 * MIB <= samples.next()["memory_used_bytes"] < 24 * MIB


def test_removed_and_made_anew(meterd, api, watch, cgroup, contained):
    """Rows 2 and 3: a gap that says why; another one there has no rate at first, and then no spike."""
    meterd("--interval", "200ms")
    process = contained(duty=100)
    samples = watch("one")
    api.track("one", cgroup_path=cgroup.path)
    eventually("it has used a second", lambda: cgroup.cpu_seconds() > 1)
    process.kill()
    before = inode(cgroup)
    cgroup.remove()
    eventually("the gap has a reason", lambda: api.entries()["one"].get("last_error") ==
               f"the cgroup {cgroup.path} is gone")
    held = len(samples.received())
    assert api.entries()["one"]["samples"] == held
    cgroup.make()
    assert inode(cgroup) != before
    contained()
    eventually("three samples more", lambda: len(samples.received()) >= held + 3)
    anew = [sample for _, sample in samples.received()][held:]
    assert "cpu_percent" not in anew[0] and "memory_used_bytes" in anew[0]
    assert all(0 <= sample["cpu_percent"] < 50 for sample in anew[1:])
    assert "last_error" not in api.entries()["one"]


def inode(cgroup):
    return cgroup.directories["unified"].stat().st_ino
