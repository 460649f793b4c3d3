"""design.md, section 7, source cgroup: containers of podman and runc, against what the kernel counts of them.

Each is found by what an engine tells of it: its pid, its id, its cgroup. By its name: test_container_names.py.
"""

import os
import secrets
import tempfile
from pathlib import Path

import pytest

from containers import BRIDGE, Cgroup, remove_parent
from counters import NETWORK, SPAN_MS, check_begun_anew, cpu_used, is_within_5_percent
from messages import MIB, now_ms
from processes import FAST, eventually
from transfer import SIZE, all_samples, total, transfer

QUOTA = 0.2  # of a core


def by_pid(container):
    return {"pid": container.pid}


def by_id(container):
    return {"container_id": container.id}


def by_short_id(container):
    return {"container_id": container.id[:12]}


def by_path(container):
    return {"cgroup_path": container.cgroup.path}


@pytest.mark.parametrize("target", [by_pid, by_id, by_short_id, by_path])
@pytest.mark.parametrize("options", [(), ("--cpus", str(QUOTA))], ids=["busy", "limited"])
def test_cpu(meterd, api, watch, container, options, target):
    """CPU of a container, also of one held back by its quota, within 5 % of the kernel's counter and runc's."""
    meterd("--interval", "250ms")
    one = container("one", *options, duty=100)
    samples = watch("one")
    api.track("one", **target(one))
    published, counted = cpu_used(samples, one.cgroup)
    assert api.entries()["one"]["source"] == "cgroup"
    assert 0.05 < counted[1] < 2 * (QUOTA if options else 1) * SPAN_MS / 1000
    assert is_within_5_percent(published, counted)
    before = one.cgroup.cpu_seconds()
    said = one.statistics()["cpu"]["usage"]["total"] / 1e9
    assert before <= said <= one.cgroup.cpu_seconds()


def working_set(container):
    usage, inactive = container.cgroup.memory_bytes()
    return usage - inactive


def test_memory(meterd, api, watch, container):
    """Working set: moves by the memory that is filled, not by a big file that is read; and the limit."""
    limit, anonymous, file_size, little = 128 * MIB, 32 * MIB, 48 * MIB, MIB
    meterd("--interval", FAST)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:  # never a tmpfs
        file = Path(directory) / "file"
        with file.open("wb") as out:
            out.write(b"x" * file_size)
            os.fsync(out.fileno())
            os.posix_fadvise(out.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        one = container("one", "--memory", str(limit), "--volume", f"{directory}:/data")
        samples = watch("one")
        api.track("one", container_id=one.id)

        def sampled():
            since = now_ms()
            sample = samples.wait_for(lambda each: each["at"] > since)
            assert sample["memory_limit_bytes"] == limit
            assert abs(sample["memory_used_bytes"] - working_set(one)) <= little
            return sample["memory_used_bytes"]

        worker = one.worker()
        at_first, (usage, _) = sampled(), one.cgroup.memory_bytes()
        worker.take_anonymous(anonymous)
        filled = sampled()
        # By read(): after sendfile(), as of cat, the kernel counts the pages as active at once.
        one.execute("dd", "if=/data/file", "of=/dev/null", "bs=64k")
        charged = one.cgroup.memory_bytes()[0] - usage
        assert charged >= anonymous + file_size - little
        after_reading = sampled()
        said = one.statistics()["memory"]
        inactive = said["raw"].get("total_inactive_file", said["raw"]["inactive_file"])
        assert said["usage"]["limit"] == limit
        assert abs(said["usage"]["usage"] - inactive - working_set(one)) <= little
        worker.kill()
    assert abs(filled - at_first - anonymous) <= little
    assert abs(after_reading - filled) <= little


def test_network(meterd, api, watch, container):
    """Bytes over the bridge, sent and received: within 2 % of what was transferred, and of the kernel's count."""
    meterd("--interval", FAST)
    pair = {name: container(name, network=BRIDGE) for name in ("left", "right")}
    watches = {name: watch(name) for name in pair}
    for name, each in pair.items():
        api.track(name, container_id=each.id)
    for each in watches.values():
        each.wait_for(lambda sample: NETWORK[0] in sample)
    before = {name: each.network_bytes() for name, each in pair.items()}
    transfer(pair["left"], pair["right"], pair["right"].address)
    for name, moved in (("left", (0, SIZE)), ("right", (SIZE, 0))):
        samples = [each for each in all_samples(watches[name]) if NETWORK[0] in each]
        after = pair[name].network_bytes()
        for i, field in enumerate(NETWORK):
            published = total(samples, field)
            assert abs(published - moved[i]) <= 0.02 * SIZE
            assert abs(published - (after[i] - before[name][i])) <= 0.02 * SIZE


def test_network_of_the_host_is_absent(meterd, api, watch, container):
    """A container with --network host has CPU and memory of its own, and no network."""
    meterd("--interval", FAST)
    samples = watch("one")
    api.track("one", container_id=container(network="host", duty=30).id)
    for sample in samples.take(4):
        assert "memory_used_bytes" in sample and not set(NETWORK) & sample.keys()


def restarted(container, one, how):
    """The container that is there after a restart."""
    if how == "same id":
        before = one.id, one.pid
        one.restart()
        assert one.id == before[0] and one.pid != before[1]
        return one
    one.remove()
    another = container("one", duty=100, network=BRIDGE)
    assert another.id != one.id
    return another


@pytest.mark.parametrize("target", [by_pid, by_id, by_path])
@pytest.mark.parametrize("how", ["same id", "same name"])
def test_restart(meterd, api, watch, container, how, target):
    """Rows 2 and 3: begun anew there is no rate in the first sample, then neither a spike nor a negative one.

    An event only where the target names what is no more, and then only when the new counter is beyond the old one:
    that it began anew does not show in its value.
    """
    meterd("--interval", FAST)
    one = container("one", duty=100, network=BRIDGE)
    samples = watch("one")
    told = target(one)
    api.track("one", **told)
    samples.wait_for(lambda sample: NETWORK[0] in sample)
    eventually("it has used CPU", lambda: one.cgroup.cpu_seconds() > 0.6, timeout=60)
    used = one.cgroup.cpu_seconds()
    another = restarted(container, one, how)
    if target(another) != told:
        eventually("it has used more", lambda: another.cgroup.cpu_seconds() > used + 0.3,
                   timeout=60)
        api.event("started", "one", **target(another))
    check_begun_anew(samples)


def test_removed(meterd, api, watch, container):
    """Row 2: a gap that says why; untracked, whether it runs or not, a last sample and no file open any more."""
    service = meterd("--interval", FAST, "--source", "cgroup")
    one, two = (container(name, network=BRIDGE) for name in ("one", "two"))
    samples = {each.name: watch(each.name) for each in (one, two)}
    for each in (one, two):
        api.track(each.name, container_id=each.id)
        samples[each.name].wait_for(lambda sample: NETWORK[0] in sample)
    both = service.stats()["files_kept"]
    one.remove()
    entry = eventually("the gap says why",
                       lambda: "last_error" in (found := api.entries()["one"]) and found)
    assert one.id[:12] in entry["last_error"]
    eventually("further readings fail",
               lambda: api.entries()["one"]["last_error_at"] > entry["last_error_at"])
    assert len(samples["one"].received()) == entry["samples"]
    assert 0 < service.stats()["files_kept"] < both
    for each in (one, two):
        api.untrack(each.name)
        final = samples[each.name].wait_for(lambda sample: sample.get("final"))
        assert final.keys() == {"sequence", "at", "final"}
        assert final["sequence"] == len(samples[each.name].received())
    assert api.entries() == {}
    service.wait_stats("all files closed", lambda stats: stats["files_kept"] == 0)


@pytest.fixture
def pod(engine):
    """A cgroup below which containers can be put, as a pod has it."""
    top = f"/meterd-test-{secrets.token_hex(8)}"
    path = f"{top}/burstable/pod{secrets.token_hex(16)}"
    yield Cgroup(path)
    engine.podman("rm", "--all", "--force", "--time", "0")
    for each in (path, f"{top}/burstable", top):
        remove_parent(each)


def test_pod(meterd, api, watch, container, pod):
    """Two containers below one cgroup: each found by its id alone, and both together as the cgroup of the pod."""
    meterd("--interval", "250ms")
    both = [container(name, "--cgroup-parent", pod.path, duty=30) for name in ("left", "right")]
    for each in both:
        assert each.cgroup.path.startswith(pod.path + "/")
    samples = watch("pod")
    api.track("pod", cgroup_path=pod.path)
    for each in both:
        api.track(each.name, container_id=each.id)
    published, counted = cpu_used(samples, pod)
    assert is_within_5_percent(published, counted)
    entries = api.entries()
    assert {each["source"] for each in entries.values()} == {"cgroup"}
    parts = sum(entries[each.name]["latest"]["memory_used_bytes"] for each in both)
    assert entries["pod"]["latest"]["memory_used_bytes"] >= parts
