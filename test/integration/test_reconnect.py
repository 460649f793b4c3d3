"""design.md, section 4: with NATS absent, gone, stopped or silent, sampling never pauses."""

import contextlib
import socket
import threading
import time

import pytest

from messages import Api, Watch
from processes import eventually

INTERVAL_MS = 200
OUTAGE_S = 2.0  # ten intervals
HELD_MAX_US = 250_000  # what one pass of the loop may take, sanitizers and a busy machine included


@pytest.fixture
def process(worker):
    return worker(duty=5)


@pytest.fixture
def service(meterd):
    def start(**how):
        return meterd("--source", "process", "--interval", f"{INTERVAL_MS}ms", **how)
    return start


def wait_reconnected(service, nats):
    """A new client, once meterd is there again to be asked."""
    service.wait_ready()
    return nats.connect()


def assert_no_pause(api, since, until):
    """The stored samples of the window [since, until] have no gap; returns how many there are."""
    rows = api.rows("one", since=since, until=until + 1, raw=True)
    times = [since, *(row["at"] for row in rows), until]
    # A tenth of the samples may be late or missing: the machine is busy with other tests.
    assert len(rows) >= 0.9 * (until - since) / INTERVAL_MS
    assert max(b - a for a, b in zip(times, times[1:])) < 10 * INTERVAL_MS
    return len(rows)


def track_and_take(bus, process, n):
    """Begins to track "one"; its first n samples."""
    samples = Watch(bus, "one")
    Api(bus).track("one", pid=process.pid)
    return samples.take(n)


def assert_went_on(bus, before):
    """Publishing has resumed, and every sequence in between has its sample in the ring."""
    after = Watch(bus, "one").take(2)[-1]
    stored = assert_no_pause(Api(bus), before["at"], after["at"])
    assert after["sequence"] - before["sequence"] == stored - 1
    return after


def assert_loop_was_free(service):
    assert service.stats()["loop_held_max_us"] < HELD_MAX_US


def test_server_absent_at_start(nats, service, process):
    """Absent at start: meterd waits for it, connects by itself and is ready."""
    nats.kill()
    late = service(wait=False)
    late.wait_handles_signals()
    assert late.stats()["connected"] == 0
    nats.start()
    bus = wait_reconnected(late, nats)
    assert late.stats()["connected"] == 1
    assert track_and_take(bus, process, 2)[-1]["sequence"] == 2
    assert_loop_was_free(late)


def test_server_killed(nats, bus, service, process):
    """Killed and started again: sequence and ring go on, publishing resumes, it is counted."""
    running = service()
    before = track_and_take(bus, process, 3)[-1]
    nats.kill()
    running.wait_stats("the loss is seen", lambda stats: not stats["connected"])
    time.sleep(OUTAGE_S)  # the length of the outage, not a wait for anything
    nats.start()
    assert_went_on(wait_reconnected(running, nats), before)
    stats = running.stats()
    assert (stats["disconnects"], stats["connected"]) == (1, 1)
    assert stats["publish_dropped_down"] >= OUTAGE_S * 1000 / INTERVAL_MS / 2
    assert stats["samples"] == stats["published"] + stats["publish_dropped_down"]
    assert_loop_was_free(running)


def test_server_killed_again_and_again(nats, bus, service, process):
    """Five kills one after the other: each survived, each counted."""
    running = service()
    before = track_and_take(bus, process, 3)[-1]
    for n in range(1, 6):
        nats.kill()
        running.wait_stats("the loss is seen", lambda stats, n=n: stats["disconnects"] == n)
        nats.start()
        bus = wait_reconnected(running, nats)
    assert_went_on(bus, before)
    assert_loop_was_free(running)


def test_events_after_reconnect(nats, bus, service, process):
    """After a reconnect events are heard again and requests are answered."""
    running = service()
    track_and_take(bus, process, 1)
    nats.kill()
    running.wait_stats("the loss is seen", lambda stats: not stats["connected"])
    nats.start()
    bus = wait_reconnected(running, nats)
    Api(bus).track("two", pid=process.pid)
    assert Watch(bus, "two").next()
    assert set(Api(bus).entries()) == {"one", "two"}


def test_untrack_while_down(nats, bus, meterd, process):
    """With --node: an instance tracked before an outage is answered for and untracked after it."""
    running = meterd("--node", "a", "--source", "process", "--interval", f"{INTERVAL_MS}ms")
    for instance in ("one", "two"):
        Api(bus).track(instance, pid=process.pid, node="a")
    eventually("both are tracked", lambda: Api(bus).gather_lists(1)["a"]["total"] == 2)
    nats.kill()
    running.wait_stats("the loss is seen", lambda stats: not stats["connected"])
    nats.start()
    bus = wait_reconnected(running, nats)
    eventually("one is answered for", lambda: Api(bus).latest("one")["tracked"])
    samples = Watch(bus, "one")
    Api(bus).untrack("one", node="a")
    samples.wait_for(lambda sample: sample.get("final"))
    eventually("nobody answers", lambda: bus.request("metrics.latest.one").status == 503)
    assert Api(bus).latest("two")["tracked"]


def test_server_stopped(nats, bus, service, process):
    """SIGSTOP, SIGCONT: a server that reads nothing for a while holds up nothing, loses nothing."""
    running = service()
    samples = Watch(bus, "one")
    Api(bus).track("one", pid=process.pid)
    before = samples.take(3)[-1]
    nats.stop()
    time.sleep(OUTAGE_S)  # the length of the outage, not a wait for anything
    nats.cont()
    assert_went_on(bus, before)
    sequences = [sample["sequence"] for _, sample in samples.received()]
    assert sequences == list(range(1, len(sequences) + 1))
    assert running.stats()["disconnects"] == 0
    assert_loop_was_free(running)


INFO = (b'INFO {"server_id":"x","version":"2.9.10","proto":1,"headers":true,'
        b'"max_payload":1048576}\r\n')


@contextlib.contextmanager
def odd_server(port, talk=lambda connection: None):
    """What no real server does, so a fake one: accepts connections, and says what talk() says."""
    accepted = []
    with socket.create_server(("127.0.0.1", port)) as server:
        def accept():
            with contextlib.suppress(OSError):  # closed: the test has ended
                while True:
                    accepted.append(server.accept()[0])
                    talk(accepted[-1])
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield accepted
        finally:
            server.shutdown(socket.SHUT_RDWR)
            for connection in accepted:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in accepted:
                connection.close()


@pytest.mark.parametrize("half", [b"MS", b"MSG instance.created.x 1 2", b"MSG instance.created.x 1 20\r\n{",
                                  b"PIN", b"+O", b"-ERR 'x"])
def test_server_dies_in_the_middle_of_a_line(nats, bus, service, process, half):
    """What is left of a connection that died is not taken for the beginning of the next one."""
    def talk(connection):
        connection.sendall(INFO)
        received = b""
        while b"PING\r\n" not in received:
            received += connection.recv(65536)
        connection.sendall(b"PONG\r\n" + half)
        connection.close()

    running = service()
    before = track_and_take(bus, process, 3)[-1]
    nats.kill()
    with odd_server(nats.port, talk) as accepted:
        eventually("meterd connects to it", lambda: accepted)
    nats.start()
    assert_went_on(wait_reconnected(running, nats), before)
    assert running.stats()["events"] == 1


def test_server_that_closes_at_once(nats, service):
    """A server that takes every connection and closes it is tried less and less often, not in a busy loop."""
    def talk(connection):
        connection.sendall(INFO)
        received = b""
        while b"PING\r\n" not in received:
            received += connection.recv(65536)
        connection.sendall(b"PONG\r\n")
        connection.close()

    running = service()
    nats.kill()
    with odd_server(nats.port, talk) as accepted:
        eventually("meterd connects to it", lambda: accepted)
        time.sleep(OUTAGE_S)  # the span over which connections are counted
        assert len(accepted) <= 8
    nats.start()
    running.wait_ready()


def test_server_that_says_hello_and_nothing_more(nats, bus, service, process):
    """A half-open server holds a thread of the library: meterd goes on without it, and ends without it."""
    running = service()
    before = track_and_take(bus, process, 3)[-1]
    nats.kill()
    with odd_server(nats.port, lambda connection: connection.sendall(INFO)) as accepted:
        eventually("the attempt is given up and another one made", lambda: len(accepted) >= 2)
        assert running.stats()["connected"] == 0
    nats.start()
    assert_went_on(wait_reconnected(running, nats), before)
    assert_loop_was_free(running)


def test_stop_while_a_server_says_nothing(nats, bus, service):
    """SIGTERM ends meterd also while a thread is stuck with such a server."""
    running = service()
    nats.kill()
    with odd_server(nats.port, lambda connection: connection.sendall(INFO)) as accepted:
        eventually("meterd connects to it", lambda: accepted)
        running.close()


def test_silent_server(nats, bus, service, process):
    """A peer that accepts and stays silent: the library waits for it, the loop does not."""
    running = service()
    before = track_and_take(bus, process, 3)[-1]
    nats.kill()
    with odd_server(nats.port) as accepted:
        eventually("meterd connects to it", lambda: accepted)
        time.sleep(OUTAGE_S)  # the length of the outage, not a wait for anything
        assert running.stats()["connected"] == 0
    nats.start()
    assert_went_on(wait_reconnected(running, nats), before)
    assert_loop_was_free(running)


def test_bus_source_during_outage(nats, meterd, bus, control_plane):
    """Source bus without NATS: readings fail and are counted, then samples go on."""
    running = meterd("--source", "bus", "--interval", f"{INTERVAL_MS}ms")
    samples = Watch(bus, "one")
    Api(bus).track("one")
    before = samples.take(2)[-1]
    nats.kill()
    failed = running.stats()["readings_failed"]
    running.wait_stats("readings fail", lambda stats: stats["readings_failed"] >= failed + 2)
    nats.start()
    bus = wait_reconnected(running, nats)
    control_plane.rejoin(nats.connect())
    after = Watch(bus, "one").next()
    assert after["sequence"] == before["sequence"] + len(
        Api(bus).rows("one", since=before["at"] + 1, until=after["at"] + 1, raw=True))
