"""What was published of counters, against the counters themselves and over a restart."""

import time

from messages import MIB, now_ms
from processes import eventually

SPAN_MS = 4000
NETWORK = ("network_in_bytes_per_sec", "network_out_bytes_per_sec")


class Counter:
    """A counter that is looked at again and again: what it was at any time between."""

    def __init__(self, read):
        self._read = read
        self._readings = []  # (ms before, value, ms after)

    def look(self):
        before = time.time() * 1000
        value = self._read()
        self._readings.append((before, value, time.time() * 1000))

    def bounds(self, at):
        """(not more than it was, not less than it was) at a time in whole ms, rounded down."""
        return (max(value for _, value, after in self._readings if after <= at),
                min(value for before, value, _ in self._readings if before >= at + 1))


def follow(samples, field, counter):
    """The samples of SPAN_MS, all of which have the field; the counter is looked at all the while.

    How long a sample takes until it is here does not matter.
    """
    samples.wait_for(lambda sample: field in sample)
    counter.look()
    begin = now_ms() + 1
    span = []

    def is_over():
        counter.look()
        span[:] = [sample for _, sample in samples.received() if sample["at"] >= begin]
        return span and span[-1]["at"] - span[0]["at"] >= SPAN_MS

    eventually("samples of the whole span", is_over)
    eventually("the next ms", lambda: now_ms() > span[-1]["at"])
    counter.look()
    return span


def integral(span, field):
    """What samples publish of a rate per second: rates times intervals."""
    return sum(sample[field] * (sample["at"] - before["at"]) / 1000 for before, sample in zip(span, span[1:]))


def growth(span, counter):
    """(least, most) by which it grew from the first sample to the last."""
    first, last = counter.bounds(span[0]["at"]), counter.bounds(span[-1]["at"])
    return last[0] - first[1], last[1] - first[0]


def cpu_used(samples, cgroup):
    """CPU seconds over SPAN_MS: as published, and by the kernel's counter (least, most)."""
    counter = Counter(cgroup.cpu_seconds)
    span = follow(samples, "cpu_percent", counter)
    return integral(span, "cpu_percent") / 100, growth(span, counter)


def is_within(percent, published, counted):
    return (1 - percent / 100) * counted[0] <= published <= (1 + percent / 100) * counted[1]


def is_within_5_percent(published, counted):
    return is_within(5, published, counted)


def check_begun_anew(samples):
    """Of a busy container that had rates and was restarted: one sample without, no spike, none below 0."""
    anew = samples.wait_for(lambda sample: "cpu_percent" not in sample)
    assert not set(NETWORK) & anew.keys()
    samples.wait_for(lambda sample: sample.get("cpu_percent", 0) > 0 and NETWORK[0] in sample)
    first, *others = [sample for _, sample in samples.received()]
    assert [each["sequence"] for each in (first, *others)] == list(range(1, len(others) + 2))
    for sample in others:
        if sample != anew:
            assert 0 <= sample["cpu_percent"] < 200  # one busy thread
        for field in NETWORK:  # absent also while nobody is in the cgroup
            assert 0 <= sample.get(field, 0) < MIB
