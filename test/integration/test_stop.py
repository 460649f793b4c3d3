"""design.md, section 2: a clean end: what was sampled has gone out, and no untrack is told."""

import signal
import time

import pytest

from messages import Api, Watch
from natsclient import pub_bytes
from processes import FAST, eventually

STOP_S = 30.0  # some ten times what the slowest stop takes


def track_some(api, samples, n=20):
    for each in range(n):
        api.track(f"i{each}")
    eventually("each has samples", lambda: len({i for i, _ in samples.received()}) == n)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_stop(meterd, api, watch, control_plane, number):
    """SIGTERM: exit 0, every sample that was taken has gone out, none of them final."""
    running = meterd("--source", "bus", "--interval", "100ms")
    samples = watch()
    track_some(api, samples)
    held = {instance: entry["latest"]["sequence"] for instance, entry in api.entries().items()}
    running.signal(number)
    assert running.wait() == 0
    api.bus.flush()
    received = samples.received()
    assert not any("final" in sample for _, sample in received)
    for instance, sequence in held.items():
        sequences = [sample["sequence"] for i, sample in received if i == instance]
        assert sequences == list(range(1, len(sequences) + 1))
        assert len(sequences) >= sequence
    assert running.last_stats()["samples"] == running.last_stats()["published"] == len(received)


def test_requests_are_answered_first(meterd, api, bus, control_plane):
    """What it has taken in before the signal is still answered, every request of it."""
    running = meterd("--source", "bus", "--interval", FAST)
    api.track("one")
    eventually("tracked", lambda: api.latest("one")["tracked"])
    before = running.stats()["requests"]
    reply, answers = bus.inbox()
    bus.send(pub_bytes("metrics.latest.one", reply=reply) * 2000)
    answers.next()
    assert running.terminate() == 0
    bus.flush()
    taken = running.last_stats()["requests"] - before
    assert len(answers.received()) == taken
    assert running.last_stats()["replies_dropped"] == 0


def test_stop_without_server(nats, meterd):
    """SIGTERM while NATS is absent: exit 0."""
    nats.kill()
    running = meterd(wait=False)
    running.wait_handles_signals()
    assert running.terminate() == 0


def test_stop_while_reconnecting(nats, meterd, bus, worker):
    """SIGTERM while the connection is lost: exit 0, and it does not wait for NATS."""
    running = meterd("--source", "process", "--interval", FAST)
    samples = Watch(bus)
    Api(bus).track("one", pid=worker().pid)
    samples.take(2)
    nats.kill()
    running.wait_stats("the loss is seen", lambda stats: not stats["connected"])
    began = time.monotonic()
    assert running.terminate() == 0
    assert time.monotonic() - began < STOP_S


def test_stop_with_a_stopped_server(nats, meterd, api, watch, control_plane):
    """SIGTERM while the server reads nothing: what cannot be sent is given up in bounded time."""
    running = meterd("--source", "bus", "--interval", FAST)
    samples = watch("one")
    api.track("one")
    samples.take(2)
    nats.stop()
    began = time.monotonic()
    running.signal(signal.SIGTERM)
    assert running.wait(STOP_S) == 0
    assert time.monotonic() - began < STOP_S
    nats.cont()


def test_stop_right_after_start(nats, meterd):
    """SIGTERM as soon as it is handled: exit 0."""
    for _ in range(5):
        running = meterd(wait=False)
        running.wait_handles_signals()
        assert running.terminate() == 0


def test_second_signal_ends_it_now(nats, meterd, api, watch, control_plane):
    """A second SIGTERM does not wait for what is unsent."""
    running = meterd("--source", "bus", "--interval", FAST)
    samples = watch("one")
    api.track("one")
    samples.take(2)
    nats.stop()
    running.signal(signal.SIGTERM)
    running.signal(signal.SIGTERM)
    assert running.wait() == 0
    nats.cont()


def test_started_again(meterd, api, watch, control_plane):
    """A meterd that starts anew begins each sequence at 1: consumers see that it did."""
    first = meterd("--source", "bus", "--interval", FAST)
    samples = watch("one")
    api.track("one")
    samples.take(3)
    assert first.terminate() == 0
    meterd("--source", "bus", "--interval", FAST)
    api.track("one")
    assert samples.wait_for(lambda sample: sample["sequence"] == 1)
