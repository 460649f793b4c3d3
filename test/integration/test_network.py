"""design.md, section 7: network of a process and of a cgroup, measured against a transfer of known size.

Two processes in network namespaces of their own, joined by a veth pair; the addresses are the same
in every test, since nobody else is in there.
"""

import subprocess

import pytest

from transfer import MTU, SIZE, all_samples, run_in, total, transfer

LEFT, RIGHT = "10.9.0.1", "10.9.0.2"


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


def as_process(_cgroup, process, _side):
    return {"pid": process.pid}


def as_cgroup(cgroup, process, side):
    """In a cgroup of its own."""
    own = cgroup(f"meterd-test-{process.pid}-{side}")
    own.add(process.pid)
    return {"cgroup_path": own.path}


@pytest.fixture(params=[as_process, as_cgroup])
def follow(request, meterd, api, watch, pair, new_cgroup):
    """Tracks both and returns a watch of each that has network rates from now on."""
    targets = {side: request.param(new_cgroup, process, side)
               for side, process in zip(("left", "right"), pair)}
    source = request.param.__name__.removeprefix("as_")
    meterd("--source", source, "--interval", "250ms")
    watches = [watch(side) for side in targets]
    for side, target in targets.items():
        api.track(side, **target)
    for each in watches:
        each.wait_for(lambda sample: "network_in_bytes_per_sec" in sample)
    return watches


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
