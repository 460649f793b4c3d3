"""design.md, section 7, source process: CPU and memory are what the process itself says."""

import os

import pytest

from messages import MIB
from processes import eventually

SPAN_MS = 6000  # long against the 10 ms ticks of /proc and against the time that asking takes
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def cpu_used(samples, worker):
    """CPU seconds over SPAN_MS: as published (rates times intervals), and by getrusage()."""
    samples.wait_for(lambda sample: "cpu_percent" in sample)
    first = last = samples.next()
    own = -worker.cpu_seconds()
    published = 0.0
    while last["at"] - first["at"] < SPAN_MS:
        sample = samples.next()
        published += sample["cpu_percent"] / 100 * (sample["at"] - last["at"]) / 1000
        last = sample
    return published, own + worker.cpu_seconds()


@pytest.fixture
def follow(meterd, api, watch):
    """Tracks a worker by its pid and returns its samples."""
    def start(worker, interval="500ms"):
        meterd("--source", "process", "--interval", interval)
        samples = watch("one")
        api.track("one", pid=worker.pid)
        return samples
    return start


@pytest.mark.parametrize("duty, period_ms", [(100, 100), (30, 50), (30, 1500)],
                         ids=["busy", "bursty within an interval", "bursty over intervals"])
def test_cpu(follow, worker, duty, period_ms):
    """cpu_percent: 100 = one core busy; over any span within 5 % of getrusage()."""
    process = worker(duty=duty, period_ms=period_ms)
    published, own = cpu_used(follow(process), process)
    assert own > 0.2  # it did get the processor
    assert abs(published - own) <= 0.05 * own + TICK_S


def test_cpu_asleep(follow, worker):
    """cpu_percent of a process that sleeps is 0, not absent."""
    process = worker()
    published, own = cpu_used(follow(process), process)
    assert published <= own + TICK_S
    assert own < 2 * TICK_S


def test_memory(follow, worker, tmp_path):
    """memory_used_bytes: RssAnon + RssShmem within 1 %, file pages left out; no limit is absent."""
    file = tmp_path / "file"
    file.write_bytes(b"x" * (64 * MIB))
    process = worker()
    samples = follow(process, "200ms")
    for take in (lambda: process.take_anonymous(128 * MIB), lambda: process.take_shared(64 * MIB),
                 lambda: process.map_file(file)):
        take()
        own = process.resident_bytes()
        sample = samples.wait_for(lambda each: abs(each["memory_used_bytes"] - own) <= 0.01 * own)
        assert "memory_limit_bytes" not in sample
    assert 192 * MIB <= own < 200 * MIB


@pytest.mark.parametrize("most, kept", [("0", 6), ("4", 4)], ids=["room for all", "for some"])
def test_files_are_kept_open(meterd, api, worker, most, kept):
    """Three files a process stay open while it is tracked, within --max-open-files; all are sampled."""
    service = meterd("--source", "process", "--interval", "200ms", "--max-open-files", most)
    for name in ("one", "two"):
        api.track(name, pid=worker().pid)
    eventually("a few samples of both", lambda: service.stats()["samples"] >= 8)
    stats = service.stats()
    assert (stats["files_kept"], stats["readings_failed"]) == (kept, 0)
    assert (stats["readings_reopened"] > 0) == (most != "0")
    api.untrack("one")
    api.untrack("two")
    eventually("all files closed", lambda: service.stats()["files_kept"] == 0)


def test_first_sample_has_no_rates(follow, worker):
    """Section 3, row 1: absent is absent; the first sample has memory and no rate."""
    first, second = follow(worker(), "200ms").take(2)
    assert "memory_used_bytes" in first and "cpu_percent" not in first
    assert "cpu_percent" in second


def test_network_of_the_host_is_absent(follow, worker):
    """Network is absent when the process lives in the host's own network namespace."""
    for sample in follow(worker(), "200ms").take(4):
        assert "network_in_bytes_per_sec" not in sample
        assert "network_out_bytes_per_sec" not in sample


def test_process_ends(follow, worker, api):
    """Section 3, row 2: no process, no sample: the list says why, and what is stored stays."""
    process = worker()
    samples = follow(process, "200ms")
    samples.take(3)
    process.kill()
    entry = eventually("the end is seen",
                       lambda: "last_error" in (found := api.entries()["one"]) and found)
    held = len(samples.received())
    assert entry["samples"] == held
    eventually("further readings fail",
               lambda: api.entries()["one"]["last_error_at"] > entry["last_error_at"])
    assert len(samples.received()) == held
    assert len(api.stored("one")) == held


def test_process_started_anew(follow, worker, api):
    """Section 3, row 3: a new incarnation has no rate for one interval; the sequence goes on."""
    first, second = worker(), worker(duty=100)
    samples = follow(first, "200ms")
    before = samples.take(3)
    first.kill()
    api.event("started", "one", pid=second.pid)
    anew = samples.wait_for(lambda sample: "cpu_percent" not in sample)
    assert anew["sequence"] > before[-1]["sequence"]
    assert 0 <= samples.next()["cpu_percent"] < 400
