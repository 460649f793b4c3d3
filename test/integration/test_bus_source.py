"""design.md, section 7, source bus: the control plane is asked, and answers well or badly."""

import math
import time

import pytest

from controlplane import STEADY
from messages import MIB, MINUTE, both_encodings, now_ms
from processes import FAST, eventually

RATES = ("network_in_bytes_per_sec", "network_out_bytes_per_sec")


@pytest.fixture
def service(meterd, control_plane):
    return meterd("--source", "bus", "--interval", FAST)


@pytest.fixture
def samples(service, watch):
    """Of the instance that most tests are about; control_plane.usage is set before track()."""
    return watch("one")


def stamped(start, step, **fields):
    """Usage whose nth reading is at start + n * step; a field may be a function of n."""
    def usage(n):
        said = {name: value(n) if callable(value) else value for name, value in fields.items()}
        return {"at": start + n * step, **{k: v for k, v in said.items() if v is not None}}
    return usage


@both_encodings
def test_fields(samples, api, control_plane):
    """ResourceUsage: CPU as it is, memory from MiB; the sample keeps a stamp of these 5 minutes."""
    start = now_ms() - 2 * MINUTE
    control_plane.usage = stamped(start, 1000, **STEADY)
    api.track("one")
    assert samples.next() == {"sequence": 1, "at": start, "cpu_percent": 12.5,
                              "memory_used_bytes": 100 * MIB, "memory_limit_bytes": 512 * MIB}
    assert samples.next() == {"sequence": 2, "at": start + 1000, "cpu_percent": 12.5,
                              "memory_used_bytes": 100 * MIB, "memory_limit_bytes": 512 * MIB,
                              "network_in_bytes_per_sec": 0.0, "network_out_bytes_per_sec": 0.0}


@both_encodings
def test_network_rates(samples, api, control_plane):
    """Network: cumulative MiB, divided by the difference of at_unix_ms, not by the interval."""
    control_plane.usage = stamped(now_ms() - MINUTE, 4000, cpu_percent=1.0,
                                  network_in_mb=lambda n: 100 + 2.5 * n,
                                  network_out_mb=lambda n: 0.25 * n * n)
    api.track("one")
    first, *others = samples.take(5)
    assert not any(rate in first for rate in RATES)
    for n, sample in enumerate(others, 1):
        assert sample["network_in_bytes_per_sec"] == pytest.approx(2.5 * MIB / 4, rel=1e-6)
        assert sample["network_out_bytes_per_sec"] == pytest.approx(0.25 * (2 * n - 1) * MIB / 4,
                                                                    rel=1e-6)


def test_network_rates_without_stamps(samples, api, control_plane):
    """Without at_unix_ms the monotonic time of arrival counts, and the sample's time is now."""
    control_plane.usage = lambda n: {"network_in_mb": 10.0 * n, "memory_used_mb": 1}
    before = now_ms()
    api.track("one")
    taken = samples.take(10)
    assert before <= taken[0]["at"] and taken[-1]["at"] <= now_ms()
    rates = [sample["network_in_bytes_per_sec"] for sample in taken[1:]]
    span_s = (taken[-1]["at"] - taken[0]["at"]) / 1000
    moved = math.fsum(rate * (sample["at"] - earlier["at"]) / 1000 for rate, sample, earlier
                      in zip(rates, taken[1:], taken))
    assert moved == pytest.approx(90 * MIB, rel=0.05)
    assert span_s == pytest.approx(9 * 0.2, rel=0.5)


def test_stamp_out_of_reach(samples, api, control_plane):
    """A stamp over 5 minutes from now makes the interval all the same, not the sample's time."""
    control_plane.usage = stamped(now_ms() - 10 * MINUTE, 4000, cpu_percent=1.0,
                                  network_in_mb=lambda n: 4.0 * n)
    before = now_ms()
    api.track("one")
    for sample in samples.take(3):
        assert before <= sample["at"] <= now_ms()
    assert sample["network_in_bytes_per_sec"] == pytest.approx(MIB, rel=1e-6)


def test_same_stamp_is_the_same_reading(service, samples, api, control_plane):
    """An equal stamp is the same reading: no sample, and counted."""
    start = now_ms() - MINUTE
    control_plane.usage = lambda n: {**STEADY, "at": start + n // 3 * 1000}
    api.track("one")
    assert [sample["at"] for sample in samples.take(3)] == [start, start + 1000, start + 2000]
    stats = service.stats()
    assert stats["readings_repeated"] >= 4
    assert stats["readings_failed"] == 0


def test_absent_is_absent(samples, api, control_plane):
    """Section 3, row 1: a field that is not there is not 0, and one that is 0 is not absent."""
    control_plane.usage = stamped(now_ms() - MINUTE, 1000, cpu_percent=0.0, memory_used_mb=7)
    api.track("one")
    _, sample = samples.take(2)
    assert {key: sample[key] for key in sample if key not in ("at", "sequence")} == \
        {"cpu_percent": 0.0, "memory_used_bytes": 7 * MIB}


def test_incarnation(samples, api, control_plane):
    """Section 3, row 3: with a new incarnation there is no network rate for that one interval."""
    control_plane.usage = stamped(now_ms() - MINUTE, 1000, network_in_mb=lambda n: 100.0 + n,
                                  memory_used_mb=1, incarnation=lambda n: "ab"[n >= 3])
    api.track("one")
    rates = [sample.get("network_in_bytes_per_sec") for sample in samples.take(6)]
    assert rates == [None, MIB, MIB, None, MIB, MIB]


def test_counter_went_back(samples, api, control_plane):
    """Section 3, row 3: a counter that went back has no rate for that one interval."""
    control_plane.usage = stamped(now_ms() - MINUTE, 1000, memory_used_mb=1,
                                  network_in_mb=lambda n: n if n < 3 else 0.5 + n - 3)
    api.track("one")
    rates = [sample.get("network_in_bytes_per_sec") for sample in samples.take(6)]
    assert rates == [None, MIB, MIB, None, MIB, MIB]


# What answers that are no reading count as; every one is a failed reading, too.
NO_READING = {"late": "answers_late", "garbage": "bus_failed_unreadable", "zeros": "readings_failed",
              "empty": "readings_failed", "error": "readings_failed",
              "silent": "readings_timed_out"}


@both_encodings
@pytest.mark.parametrize("mode", NO_READING)
def test_no_reading(service, samples, api, control_plane, mode):
    """No reading, no sample, counted; then samples go on, with rates over the gap (row 2)."""
    control_plane.usage = stamped(now_ms() - 2 * MINUTE, 1000, network_in_mb=lambda n: 1000.0 + n,
                                  memory_used_mb=1)
    api.track("one")
    samples.take(3)
    control_plane.mode = mode
    service.wait_stats(f"{mode} is counted", lambda stats: stats[NO_READING[mode]] >= 2
                       and stats["readings_failed"] >= 2)
    held = len(samples.received())
    assert api.entries()["one"]["last_error"]
    control_plane.mode = "good"
    eventually("samples go on", lambda: len(samples.received()) >= held + 3)
    taken = [sample for _, sample in samples.received()]
    assert [sample["sequence"] for sample in taken] == list(range(1, len(taken) + 1))
    gaps = [sample["at"] - before["at"] for before, sample in zip(taken, taken[1:])]
    assert max(gaps) > 2000
    assert all(sample["network_in_bytes_per_sec"] == pytest.approx(MIB, rel=1e-6)
               for sample in taken[1:])


def test_no_responders(service, samples, api, control_plane):
    """Nobody listens on controlplane.instances.resources.*: no reading, and counted."""
    api.track("one")
    samples.take(2)
    control_plane.leave()
    service.wait_stats("no responders", lambda stats: stats["no_responders"] >= 2)
    held = len(samples.received())
    assert api.entries()["one"]["last_error"]
    control_plane.join()
    eventually("samples go on", lambda: len(samples.received()) > held + 1)


def test_slow_instance_holds_up_no_other(service, api, watch, control_plane):
    """One sampler call may last at most one interval, and nobody else waits for it."""
    good = watch("good")
    control_plane.mode = "silent"
    control_plane.modes["good"] = "good"
    for n in range(50):
        api.track(f"mute-{n}")
    api.track("good")
    taken = good.take(20)
    assert [sample["sequence"] for sample in taken] == list(range(1, 21))
    assert taken[-1]["at"] - taken[0]["at"] < 10 * 19 * 200
    assert service.stats()["readings_timed_out"] >= 50


def test_stopped_backs_off(service, samples, api, control_plane):
    """A stopped instance is read on, while it fails at up to 6 intervals, until it is started."""
    api.track("one")
    samples.take(2)
    api.event("stopped", "one")
    control_plane.mode = "error"
    service.wait_stats("it fails", lambda stats: stats["readings_failed"] >= 5)
    asked, began = control_plane.questions["one"], time.monotonic()
    eventually("it is asked on", lambda: control_plane.questions["one"] == asked + 2)
    assert time.monotonic() - began > 5 * 0.2
    control_plane.mode = "good"
    held = len(samples.received())
    api.event("started", "one")
    eventually("samples go on", lambda: len(samples.received()) > held + 1)


def test_answers_of_an_untracked_instance(service, samples, api, control_plane):
    """An answer that comes after the untrack makes no sample."""
    control_plane.mode = "late"
    api.track("one")
    eventually("it was asked", lambda: control_plane.questions.get("one"))
    api.untrack("one")
    assert samples.next() == {"final": True, "sequence": 1, "at": samples.received()[0][1]["at"]}
    control_plane.answer_now()
    service.wait_stats("the answer is late", lambda stats: stats["answers_late"] >= 1)
    assert len(samples.received()) == 1
