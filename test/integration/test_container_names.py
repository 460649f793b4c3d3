"""design.md, section 7: containers by their names, of which podman's service of Docker's API is asked."""

import pytest

from containers import BRIDGE
from counters import NETWORK, check_begun_anew, cpu_used, is_within_5_percent
from processes import FAST, eventually


@pytest.fixture
def socket(tmp_path):
    return tmp_path / "podman.sock"


@pytest.fixture
def service(engine, socket, tmp_path):
    """Factory of podman's service on that socket; it is one at a time."""
    started = []

    def start():
        started.append(engine.service(socket, tmp_path / "podman.log"))
        return started[-1]

    yield start
    for each in started:
        each.kill()


@pytest.fixture
def asking(meterd, socket):
    """Factory of meterds that ask at that socket."""
    return lambda *args: meterd("--engine-sockets", str(socket), *args)


@pytest.mark.parametrize("name, target", [("any.name-1", {"container_name": "any.name-1"}), ("cp-web", {})],
                         ids=["a name", "the usual name"])
def test_cpu(asking, service, api, watch, container, name, target):
    """By its name alone, or as the control plane names it without a word about it: CPU within 5 %, memory, network."""
    service()
    one = container(name, duty=50, network=BRIDGE)
    asking("--interval", "250ms")
    samples = watch("web")
    api.track("web", **target)
    published, counted = cpu_used(samples, one.cgroup)
    assert is_within_5_percent(published, counted) and counted[1] > 0.05
    entry = api.entries()["web"]
    assert entry["source"] == "cgroup" and "last_error" not in entry
    assert {"memory_used_bytes", *NETWORK} <= entry["latest"].keys()


def test_started_after_it_was_tracked(asking, service, api, watch, container):
    """A container that comes later is found when it is there, and not one whose name only begins like it."""
    service()
    container("cp-web2")
    asking("--interval", FAST, "--source", "cgroup")
    samples = watch("web")
    api.track("web")
    eventually("it fails first", lambda: "cp-web" in api.entries()["web"].get("last_error", ""))
    assert not samples.received()
    one = container("cp-web", "--memory", "64m")
    assert samples.next()["memory_limit_bytes"] == 64 << 20
    entry = api.entries()["web"]
    assert entry["source"] == "cgroup" and "last_error" not in entry
    assert one.cgroup.memory_bytes()[0] > 0


def test_service_comes_later_and_goes(asking, service, socket, api, watch, container):
    """Without the engine's service there is a sentence; once found, a container is read without it."""
    container("cp-web")
    asking("--interval", FAST, "--source", "cgroup")
    samples = watch("web")
    api.track("web")
    eventually("it fails first",
               lambda: socket.name in api.entries()["web"].get("last_error", ""))
    running = service()
    samples.take(2)
    running.kill()
    samples.take(4)
    assert "last_error" not in api.entries()["web"]


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
@pytest.mark.parametrize("how", ["same id", "same name"])
def test_restart(asking, service, api, watch, container, how, told):
    """Rows 2 and 3, by name: another container under it is found, and its counters are those of another one."""
    service()
    one = container("cp-web", duty=100, network=BRIDGE)
    asking("--interval", FAST)
    samples = watch("web")
    api.track("web")
    samples.wait_for(lambda sample: NETWORK[0] in sample)
    eventually("it has used CPU", lambda: one.cgroup.cpu_seconds() > 0.6, timeout=60)
    if how == "same id":
        one.restart()
    else:
        one.remove()
        assert container("cp-web", duty=100, network=BRIDGE).id != one.id
    if told:
        api.event("started", "web")
    check_begun_anew(samples)


def test_removed(asking, service, api, watch, container):
    """Row 2, by name: a gap that says why; untracked, a last sample, and no file is open any more."""
    service()
    process = asking("--interval", FAST, "--source", "cgroup")
    one = container("cp-web")
    samples = watch("web")
    api.track("web")
    samples.take(2)
    one.remove()
    entry = eventually("the gap says why",
                       lambda: "last_error" in (found := api.entries()["web"]) and found)
    assert len(samples.received()) == entry["samples"]
    api.untrack("web")
    assert samples.wait_for(lambda sample: sample.get("final"))["sequence"] == entry["samples"] + 1
    process.wait_stats("all files closed", lambda stats: stats["files_kept"] == 0)
