"""include/net/engine.h, include/edge/locator.h: containers found by their names through an engine's socket.

The engine is a stand-in (engines.py), because the point is mostly what no real one shows: silence, garbage,
floods. What real engines answer is in test/unit/test_container_answer.c. The cgroups are real.
"""

from pathlib import Path

import pytest

from cgroups import Cgroup, id_of
from engines import NOBODY, STOPPED, Engine, running
from natsclient import DEADLINE
from processes import FAST, eventually

# An interval that no test lives to see: what comes at once or in between comes by itself.
NEVER = ["--interval", "24h"]
MISSED_MS = 1000  # five intervals of FAST: less than any wait for an engine, more than a busy machine takes


@pytest.fixture
def engine():
    made = Engine()
    yield made
    made.close()


def at(engine, *more):
    return ["--engine-sockets", ",".join([engine.path, *more])]


def last_error(api, instance):
    return api.entries()[instance].get("last_error", "")


def eventually_fails(api, instance, text):
    eventually(f"{instance} fails with {text}", lambda: text in last_error(api, instance))


# --- found ---

@pytest.mark.parametrize("name", [None, "web.1_a-b"], ids=["default", "said"])
@pytest.mark.parametrize("source", ["auto", "cgroup"])
def test_found(meterd, api, watch, engine, container_cgroup, worker, name, source):
    """Bound in the first reading, and asked for only once."""
    daemon = meterd("--interval", FAST, "--source", source, *at(engine.start()))
    process = worker(duty=30)
    container_cgroup.add(process.pid)
    engine.containers[name or "cp-one"] = running(id_of(container_cgroup), process.pid)
    samples = watch("one")
    api.track("one", **({"container_name": name} if name else {}))
    first, *others = samples.take(12)
    assert first["sequence"] == 1 and "memory_used_bytes" in first
    assert all("cpu_percent" in sample for sample in others)
    assert api.entries()["one"]["source"] == "cgroup"
    assert engine.questions == [name or "cp-one"]
    stats = daemon.stats()
    assert (stats["engine_questions"], stats["engine_found"], stats["readings_failed"]) == (1, 1, 0)


def test_second_engine(meterd, api, watch, engine, container_cgroup, worker):
    """Engines are asked in turn: absent, then one that does not know it, then the one that has it."""
    other = Engine()
    try:
        meterd(*NEVER, "--engine-sockets", f"/nowhere/x.sock,unix://{engine.start().path},"
                                           f"{other.start().path}")
        process = worker()
        container_cgroup.add(process.pid)
        other.containers["cp-one"] = running(id_of(container_cgroup), process.pid)
        samples = watch("one")
        api.track("one")
        assert samples.next()["sequence"] == 1
        assert engine.questions == other.questions == ["cp-one"]
    finally:
        other.close()


def test_below_host_root(meterd, api, watch, engine, container_cgroup, worker):
    """With --host-root the sockets are the host's."""
    root = Path(engine.start().path).parent
    for folder in ("proc", "sys"):
        (root / folder).symlink_to(f"/{folder}")
    meterd(*NEVER, "--host-root", str(root), "--engine-sockets", "/e.sock")
    process = worker()
    container_cgroup.add(process.pid)
    engine.containers["cp-one"] = running(id_of(container_cgroup), process.pid)
    samples = watch("one")
    api.track("one")
    assert samples.next()["sequence"] == 1


def test_process_is_gone(meterd, api, watch, engine, container_cgroup, worker):
    """The first process of a container may end before we come to look at it: its id still leads there."""
    meterd(*NEVER, *at(engine.start()))
    container_cgroup.add(worker().pid)
    ended = worker()
    ended.kill()
    engine.containers["cp-one"] = running(id_of(container_cgroup), ended.pid)
    samples = watch("one")
    api.track("one")
    assert "memory_used_bytes" in samples.next()


# --- not found, yet ---

@pytest.mark.parametrize("source", ["auto", "cgroup"])
def test_appears(meterd, api, watch, engine, container_cgroup, worker, source):
    """Not there when it is tracked: found soon after it is, and read at once, twice within a second or so."""
    meterd(*NEVER, "--source", source, *at(engine.start()))
    samples = watch("one")
    api.track("one")
    eventually("it is asked for again and again", lambda: engine.asked("cp-one") >= 3)
    engine.containers["cp-one"] = STOPPED
    asked = engine.asked("cp-one")
    eventually("and when it is not running", lambda: engine.asked("cp-one") > asked)
    process = worker()
    container_cgroup.add(process.pid)
    engine.containers["cp-one"] = running(id_of(container_cgroup), process.pid)
    first, second = samples.take(2)
    assert "cpu_percent" not in first and "cpu_percent" in second
    entry = api.entries()["one"]
    assert entry["source"] == "cgroup" and "last_error" not in entry


def test_cgroup_appears(meterd, api, watch, engine, container_cgroup, worker):
    """The engine is ahead of the kernel, or means another machine."""
    meterd(*NEVER, "--source", "cgroup", *at(engine.start()))
    engine.containers["cp-one"] = running(NOBODY, 1)
    samples = watch("one")
    api.track("one")
    eventually_fails(api, "one", "container ffffffffffff was not found")
    container_cgroup.add(worker().pid)
    engine.containers["cp-one"] = running(id_of(container_cgroup), 1)
    assert "memory_used_bytes" in samples.next()


def test_bus_until_then(meterd, api, watch, control_plane, engine, container_cgroup, worker):
    """By itself the control plane is asked while no engine knows it."""
    meterd("--interval", FAST, *at(engine.start()))
    samples = watch("one")
    api.track("one")
    assert samples.next()["memory_limit_bytes"] == 512 << 20  # the control plane's word
    assert api.entries()["one"]["source"] == "bus"
    process = worker()
    container_cgroup.add(process.pid)
    engine.containers["cp-one"] = running(id_of(container_cgroup), process.pid)
    samples.wait_for(lambda sample: sample.get("memory_limit_bytes") != 512 << 20)
    assert api.entries()["one"]["source"] == "cgroup"
    asked = control_plane.questions["one"]
    samples.take(5)
    assert control_plane.questions["one"] == asked


@pytest.mark.parametrize("again", ["same", "another"])
def test_made_anew(meterd, api, watch, engine, container_cgroup, worker, again):
    """Its cgroup is gone: asked anew, and found under its name, be it the same container or another."""
    meterd("--interval", FAST, "--source", "cgroup", *at(engine.start()))
    process = worker(duty=30)
    container_cgroup.add(process.pid)
    engine.containers["cp-one"] = running(id_of(container_cgroup), process.pid)
    samples = watch("one")
    api.track("one")
    samples.wait_for(lambda sample: "cpu_percent" in sample)
    assert engine.asked("cp-one") == 1
    del engine.containers["cp-one"]
    process.kill()
    container_cgroup.remove()
    eventually_fails(api, "one", "no such container")
    made = container_cgroup
    if again == "another":
        made = Cgroup(container_cgroup.path.replace(id_of(container_cgroup), "e" * 64),
                      container_cgroup.hierarchies)
    made.make()
    process = worker(duty=30)
    made.add(process.pid)
    engine.containers["cp-one"] = running(id_of(made), process.pid)
    assert "cpu_percent" not in samples.next()
    assert "cpu_percent" in samples.next()
    process.kill()
    made.remove()


# --- whom is asked when ---

def test_order(meterd, api, watch, engine, container_cgroup, worker):
    """What says more than a name comes first, and then no engine is asked."""
    meterd(*NEVER, *at(engine.start()))
    process, outside = worker(), worker()
    container_cgroup.add(process.pid)
    targets = {"path": {"cgroup_path": container_cgroup.path}, "pid": {"pid": process.pid},
               "id": {"container_id": id_of(container_cgroup)}, "process": {"pid": outside.pid}}
    for instance, target in targets.items():
        samples = watch(instance)
        api.track(instance, container_name="x", **target)
        samples.next()
    assert engine.questions == []


def test_path_is_final(meterd, api, engine):
    """Who says the cgroup itself means that one."""
    meterd("--interval", FAST, "--source", "cgroup", *at(engine.start()))
    api.track("one", cgroup_path="/nowhere", container_name="x")
    eventually_fails(api, "one", "there is no cgroup /nowhere")
    assert engine.questions == []


def test_pid_is_stale(meterd, api, watch, engine, container_cgroup, worker):
    """A container that was started anew has another pid than the target says, and still its name."""
    meterd(*NEVER, *at(engine.start()))
    process, ended = worker(), worker()
    ended.kill()
    container_cgroup.add(process.pid)
    engine.containers["web"] = engine.containers["cp-plain"] = running(id_of(container_cgroup), process.pid)
    samples = watch("one")
    api.track("plain", pid=ended.pid)  # a process, for all that is said
    api.track("one", pid=ended.pid, container_name="web")
    samples.next()
    assert api.entries()["one"]["source"] == "cgroup"
    assert "there is no process" in last_error(api, "plain")
    assert engine.questions == ["web"]


@pytest.mark.parametrize("args", [["--source", "process"], ["--source", "bus"], ["--engine-sockets", ""],
                                  ["--engine-sockets", "none"]], ids="-".join)
def test_not_asked(meterd, api, engine, control_plane, args):
    """Who wants no engine to be asked is heeded."""
    daemon = meterd("--interval", FAST, *at(engine.start()), *args)
    api.track("one")
    daemon.wait_stats("it was read", lambda stats: stats["readings"] >= 3)
    assert engine.questions == []


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", "x" * 256, "-a", "a?b", "ä"])
def test_bad_name(meterd, api, engine, name):
    """What is no name never becomes a part of a URL."""
    meterd("--interval", FAST, "--source", "cgroup", *at(engine.start()))
    api.track("one", container_name=name)
    if name == "":  # as not said
        eventually_fails(api, "one", "no engine knows container cp-one")
        return
    eventually_fails(api, "one", "container_name is not 1 to 255")
    assert engine.questions == []


# --- an engine that fails ---

BAD = {"absent": "No such file or directory", "refuse": "Connection refused",
       "fill": "it accepts no connection",
       "silent": "no whole answer within 2000 ms", "garbage": "HTTP/0.9", "page": "not an engine's answer",
       "error": "HTTP status 500", "huge": "more than 262144 bytes", "drip": "no whole answer within 2000 ms",
       "early": ""}


@pytest.mark.parametrize("how", BAD)
def test_bad_engine(meterd, api, watch, engine, container_cgroup, worker, how):
    """It is said what is wrong, nobody else is held up, and once it is well again it is asked again."""
    if how in ("refuse", "fill"):
        getattr(engine, how)()
    elif how != "absent":
        engine.mode = how
        engine.start()
    daemon = meterd("--interval", FAST, "--source", "cgroup", *at(engine))
    steady, samples = watch("steady"), watch("one")
    process = worker()
    container_cgroup.add(process.pid)
    api.track("steady", cgroup_path=container_cgroup.path)
    api.track("one")
    eventually_fails(api, "one", f"no engine knows container cp-one: {engine.path}: ")
    eventually_fails(api, "one", BAD[how])
    stats = daemon.wait_stats("it is asked again", lambda stats: stats["engine_failures"] >= 2)
    assert stats["engine_found"] == stats["engine_unknown"] == 0
    print(f"{how}: loop_held_max_us={stats['loop_held_max_us']}")
    steady.take(6)
    assert_rhythm([sample for _, sample in steady.received()])
    if how in ("absent", "refuse", "fill"):
        return
    engine.containers["cp-one"] = running(id_of(container_cgroup), process.pid)
    engine.mode = "good"
    samples.next()


def assert_rhythm(samples):
    """None is missing, and between none of them has anything waited for an engine."""
    assert [sample["sequence"] for sample in samples] == list(range(1, len(samples) + 1))
    gaps = [after["at"] - before["at"] for before, after in zip(samples, samples[1:])]
    assert len(gaps) >= 5 and max(gaps) < MISSED_MS, gaps


def test_silent_holds_up_no_others(meterd, api, watch, control_plane, engine):
    """Many at once at a silent engine: each has its sample from the bus, none waits its turn for it."""
    engine.mode = "silent"
    daemon = meterd("--interval", "10s", *at(engine.start()))
    samples = watch()
    for n in range(100):
        api.track(f"i{n}")
    seen = set()
    eventually("each has a sample", lambda: samples.next() and seen.update(
        instance for instance, _ in samples.received()) or len(seen) == 100)
    stats = daemon.stats()
    print(f"loop_held_max_us={stats['loop_held_max_us']}")
    assert stats["readings_failed"] == 0


def test_untracked_while_asked(meterd, api, engine):
    """Instances go while their questions are under way, wait for their turn, or wait to be asked again."""
    engine.mode = "silent"
    daemon = meterd("--interval", FAST, *at(engine.start()))
    for n in range(100):
        api.track(f"i{n}")
    eventually("some are asked for", lambda: len(engine.questions) >= 16)
    for n in range(0, 100, 2):
        api.untrack(f"i{n}")
    for n in range(1, 100, 2):
        api.track(f"i{n}", container_name="other")  # bound anew
    daemon.wait_stats("they are gone", lambda stats: stats["instances"] == 50)
    engine.mode = "good"
    eventually("the others are asked for again", lambda: engine.asked("other") >= 10)
    for n in range(1, 100, 2):
        api.untrack(f"i{n}")
    daemon.wait_stats("they are gone", lambda stats: stats["instances"] == 0)


def test_stop_while_asked(meterd, api, engine):
    """Ends at once and cleanly, whatever an engine owes it."""
    engine.mode = "silent"
    daemon = meterd("--interval", FAST, *at(engine.start()))
    for n in range(30):
        api.track(f"i{n}")
    eventually("some are asked for", lambda: len(engine.questions) >= 16)
    assert daemon.terminate() == 0


def test_many_elsewhere(meterd, api, watch, control_plane, engine, container_cgroup, worker):
    """Instances that no engine will ever know cost it little, and a newcomer is found all the same."""
    n = 300
    meterd(*NEVER, *at(engine.start()))
    for each in range(n):
        api.track(f"i{each}")
    eventually("each is asked for once", lambda: len(set(engine.questions)) == n)
    before, asked = len(engine.questions), engine.asked("cp-i5")
    api.event("stopped", "i5")
    api.event("started", "i5")  # begins anew
    eventually("it is asked for", lambda: engine.asked("cp-i5") > asked)
    assert len(engine.questions) - before < 50
    samples = watch("one")
    api.track("one")
    eventually("it is asked for", lambda: engine.asked("cp-one") == 1)
    process = worker()
    container_cgroup.add(process.pid)
    engine.containers["cp-one"] = running(id_of(container_cgroup), process.pid)
    before = len(engine.questions)
    samples.next(DEADLINE)
    assert len(engine.questions) - before < 50  # and not all of the others, which came before it
