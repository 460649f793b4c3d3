"""design.md, section 7: network of a process, measured against a transfer of known size.

Two processes in network namespaces of their own, joined by a veth pair; the addresses are the same
in every test, since nobody else is in there.
"""

import subprocess
import sys

import pytest

from messages import MIB
from processes import eventually

PIECES = 48
SIZE = PIECES * MIB
PIECE_S = 0.04  # pause after each, so that several intervals see a part of the whole
MTU = 9000  # few headers: the payload is 99 % of the bytes that the interfaces count
LEFT, RIGHT = "10.9.0.1", "10.9.0.2"

RECEIVE = """
import socket, sys
server = socket.create_server((sys.argv[1], 7000))
print("listening", flush=True)
connection, _ = server.accept()
n = 0
while data := connection.recv(1 << 20):
    n += len(data)
print(n, flush=True)
"""

SEND = f"""
import socket, sys, time
connection = socket.create_connection((sys.argv[1], 7000))
for _ in range({PIECES}):
    connection.sendall(bytes({SIZE // PIECES}))
    time.sleep({PIECE_S})
connection.close()
"""


def in_namespace_of(worker, *command):
    return ["nsenter", "--net", "--target", str(worker.pid), *command]


def run_in(worker, *command):
    subprocess.run(in_namespace_of(worker, *command), check=True)


def why_not_permitted():
    """Empty when namespaces and veth pairs can be made."""
    tried = subprocess.run(["unshare", "--net", "ip", "link", "add", "veth0", "type", "veth",
                            "peer", "name", "veth1"], capture_output=True, text=True, check=False)
    return tried.stderr.strip() if tried.returncode else ""


@pytest.fixture
def pair(worker):
    """Two workers that reach each other as LEFT and RIGHT; nothing but ours goes between them."""
    if why_not := why_not_permitted():
        pytest.skip(f"needs root (CAP_NET_ADMIN, CAP_SYS_ADMIN) and iproute2: {why_not}")
    left, right = worker(own_network=True), worker(own_network=True)
    run_in(left, "ip", "link", "add", "veth0", "mtu", str(MTU), "type", "veth",
           "peer", "name", "veth0", "mtu", str(MTU), "netns", str(right.pid))
    for each, address in ((left, LEFT), (right, RIGHT)):
        run_in(each, "ip", "link", "set", "lo", "up")
        run_in(each, "ip", "link", "set", "veth0", "addrgenmode", "none")
        run_in(each, "ip", "address", "add", f"{address}/24", "dev", "veth0")
        run_in(each, "ip", "link", "set", "veth0", "up")
    return left, right


@pytest.fixture
def follow(meterd, api, watch, pair):
    """Tracks both and returns a watch of each that has network rates from now on."""
    meterd("--source", "process", "--interval", "250ms")
    watches = [watch("left"), watch("right")]
    for instance, process in zip(("left", "right"), pair):
        api.track(instance, pid=process.pid)
    for each in watches:
        each.wait_for(lambda sample: "network_in_bytes_per_sec" in sample)
    return watches


def transfer(sender, receiver, address):
    """SIZE bytes over TCP to address, which is receiver's."""
    server = subprocess.Popen(in_namespace_of(receiver, sys.executable, "-c", RECEIVE, address),
                              stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout.readline() == "listening\n"
        run_in(sender, sys.executable, "-c", SEND, address)
        assert int(server.communicate(timeout=20)[0]) == SIZE
    finally:
        server.kill()
        server.wait()


def all_samples(watch):
    """Of a watch, up to one that was read after this was called."""
    held = len(watch.received())
    eventually("two more samples", lambda: len(watch.received()) >= held + 2)
    return [sample for _, sample in watch.received()]


def total(samples, field):
    """Bytes: the rates times the intervals that they are over."""
    return sum(sample[field] * (sample["at"] - before["at"]) / 1000
               for before, sample in zip(samples, samples[1:]))


def test_transfer(follow, pair):
    """network_{in,out}_bytes_per_sec times the intervals: within 5 % of what was sent."""
    transfer(*pair, RIGHT)
    left, right = map(all_samples, follow)
    assert total(left, "network_out_bytes_per_sec") == pytest.approx(SIZE, rel=0.05)
    assert total(right, "network_in_bytes_per_sec") == pytest.approx(SIZE, rel=0.05)
    assert total(left, "network_in_bytes_per_sec") < 0.05 * SIZE  # acknowledgements
    assert total(right, "network_out_bytes_per_sec") < 0.05 * SIZE
    assert sum(sample["network_out_bytes_per_sec"] > 0 for sample in left[1:]) >= 4


def test_loopback_is_left_out(follow, pair):
    """Network: what a process says to itself over lo is not its network."""
    transfer(pair[0], pair[0], "127.0.0.1")
    left = all_samples(follow[0])
    assert total(left, "network_out_bytes_per_sec") < 0.01 * SIZE
    assert total(left, "network_in_bytes_per_sec") < 0.01 * SIZE
