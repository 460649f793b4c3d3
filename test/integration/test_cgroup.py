"""design.md, section 7, source cgroup: by cgroup_path, pid and container_id, against the kernel's own files.

Real cgroups of this machine: v1 with cpuacct and memory where it has them, and the v2 tree beside them, or nothing
but v2. What only full v2 has is in test_cgroup_v2.py; layouts that do not exist here are fixture trees in test/unit.
"""

import os

import pytest

from cgroups import V1, V2, cpu_used, id_of
from messages import MIB
from processes import eventually

SPAN_MS = 4000
ARRIVAL_S = 0.02  # between the reading and the test that hears of it, times two workers


def by_path(cgroup, process):
    return {"cgroup_path": cgroup.path}


def by_pid(cgroup, process):
    return {"pid": process.pid}


@pytest.mark.parametrize("target", [by_path, by_pid])
@pytest.mark.parametrize("cgroup", [V1, V2], indirect=True, ids=["v1", "v2"])
def test_cpu(meterd, api, watch, cgroup, contained, target):
    """CPU of a cgroup, its members together, within 5 % of the kernel's own counter."""
    meterd("--interval", "500ms")
    process = contained(duty=30)
    contained(duty=30)
    samples = watch("one")
    api.track("one", **target(cgroup, process))
    published, counted = cpu_used(samples, cgroup, SPAN_MS)
    assert api.entries()["one"]["source"] == "cgroup"
    assert counted > 0.2
    assert abs(published - counted) <= 0.05 * counted + ARRIVAL_S


def test_memory_is_the_working_set(meterd, api, watch, cgroup, contained, tmp_path):
    """Row 6: usage - inactive_file. Anonymous memory counts, a big file that was read does not."""
    file = tmp_path / "file"
    file.write_bytes(b"x" * (64 * MIB))
    limit = 512 * MIB
    cgroup.limit_memory(limit)
    meterd("--interval", "200ms")
    process = contained()
    samples = watch("one")
    api.track("one", cgroup_path=cgroup.path)
    process.take_anonymous(64 * MIB)
    os.posix_fadvise(fd := os.open(file, os.O_RDONLY), 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)
    process.map_file(file)
    sample = samples.wait_for(lambda each: abs(each["memory_used_bytes"] - cgroup.working_set()) <=
                              0.01 * cgroup.working_set())
    assert sample["memory_used_bytes"] >= 64 * MIB
    assert sample["memory_limit_bytes"] == limit


def test_cgroup_goes_and_comes_back(meterd, api, watch, cgroup, contained):
    """Rows 2 and 3: gone is a gap with a reason; another one under the same path has no rate at first."""
    meterd("--interval", "200ms")
    process = contained(duty=50)
    samples = watch("one")
    api.track("one", cgroup_path=cgroup.path)
    samples.wait_for(lambda sample: "cpu_percent" in sample)
    process.kill()
    cgroup.remove()
    eventually("the gap has a reason",
               lambda: cgroup.path in api.entries()["one"].get("last_error", ""))
    cgroup.make()
    anew = contained(duty=50)
    first = samples.wait_for(lambda sample: "cpu_percent" not in sample)
    assert 0 <= samples.next()["cpu_percent"] < 100 * os.cpu_count()
    assert first["sequence"] > 1
    anew.kill()


def test_made_anew_unseen(meterd, api, watch, cgroup, contained):
    """Row 2: no reading saw it gone, and the new one has used more already: still no rate of the two."""
    service = meterd("--interval", "200ms")
    process = contained()
    samples = watch("one")
    api.track("one", cgroup_path=cgroup.path)
    samples.wait_for(lambda sample: "cpu_percent" in sample)
    service.stop()
    process.kill()
    used = cgroup.cpu_seconds()
    cgroup.remove()
    cgroup.make()
    contained(duty=100)
    eventually("it has used more", lambda: cgroup.cpu_seconds() > used + 0.3)
    held = len(samples.received())
    service.cont()
    eventually("two samples more", lambda: len(samples.received()) >= held + 2)
    first, second = (sample for _, sample in samples.received()[held:held + 2])
    assert "cpu_percent" not in first and "cpu_percent" in second
    assert service.stats()["readings_failed"] == 0


def test_not_there_yet(meterd, api, watch, cgroup, contained):
    """A cgroup that is made only after its instance was tracked is found when it is there."""
    meterd("--interval", "200ms")
    cgroup.remove()
    samples = watch("one")
    api.track("one", cgroup_path=cgroup.path)
    eventually("it fails first", lambda: "last_error" in api.entries()["one"])
    cgroup.make()
    contained()
    assert "memory_used_bytes" in samples.next()
    assert "last_error" not in api.entries()["one"]


@pytest.mark.parametrize("written", ["{}", "{:.12}", "docker://{}"],
                         ids=["whole", "short", "engine"])
@pytest.mark.parametrize("cgroup", [V1, V2], indirect=True, ids=["v1", "v2"])
def test_container_id(meterd, api, watch, container_cgroup, worker, written):
    """By the id alone, also as engines and Kubernetes show it: CPU of that cgroup and no other."""
    process = worker(duty=30)
    container_cgroup.add(process.pid)
    meterd("--interval", "500ms")
    samples = watch("one")
    api.track("one", container_id=written.format(id_of(container_cgroup)))
    published, counted = cpu_used(samples, container_cgroup, SPAN_MS)
    assert api.entries()["one"]["source"] == "cgroup"
    assert counted > 0.2
    assert abs(published - counted) <= 0.05 * counted + ARRIVAL_S


def test_container_id_network(meterd, api, watch, container_cgroup, worker):
    """Found by its id, the network is that of a member in a namespace of its own."""
    container_cgroup.add(worker(own_network=True).pid)
    meterd("--interval", "200ms")
    samples = watch("one")
    api.track("one", container_id=id_of(container_cgroup))
    assert samples.wait_for(
        lambda sample: "network_in_bytes_per_sec" in sample)["network_in_bytes_per_sec"] == 0


def test_container_not_there_yet(meterd, api, watch, container_cgroup, worker):
    """Looked for again until the engine has made it; what is no id at all says so."""
    container_cgroup.remove()
    meterd("--interval", "200ms", "--source", "cgroup")
    samples = watch("one")
    api.track("one", container_id=id_of(container_cgroup))
    api.track("bad", container_id="../../docker/x")
    eventually("it fails first",
               lambda: "was not found" in api.entries()["one"].get("last_error", ""))
    eventually("it is no id",
               lambda: "is not 12 to 64" in api.entries()["bad"].get("last_error", ""))
    container_cgroup.make()
    container_cgroup.add(worker().pid)
    assert "memory_used_bytes" in samples.next()
    assert "last_error" not in api.entries()["one"]


def test_container_elsewhere_or_here(meterd, api, watch, container_cgroup, worker):
    """By itself the control plane is asked while no such container is here."""
    container_cgroup.remove()
    meterd("--interval", "200ms")
    samples = watch("one")
    api.track("one", container_id=id_of(container_cgroup))
    eventually("the bus is asked", lambda: api.entries()["one"].get("source") == "bus"
               and "last_error" in api.entries()["one"])
    container_cgroup.make()
    container_cgroup.add(worker().pid)
    assert "memory_used_bytes" in samples.next()
    assert api.entries()["one"]["source"] == "cgroup"


@pytest.mark.parametrize("path", ["/", "relative", "/a/../../etc", "/nowhere/at/all"])
def test_wrong_path(meterd, api, path):
    """A path that is none, or leads out of the hierarchy, is a failure with a sentence."""
    meterd("--interval", "200ms")
    api.track("one", cgroup_path=path)
    entry = eventually("it fails", lambda: "last_error" in (found := api.entries()["one"]) and found)
    assert "latest" not in entry
