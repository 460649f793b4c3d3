"""design.md, section 2, one or many: two meterds with --node behind one subject prefix."""

import pytest

from messages import Api, NoResponders, both_encodings, checked
from natsclient import pub_bytes
from processes import FAST, eventually


@pytest.fixture
def nodes(meterd, control_plane):
    """Nodes a and b, by name."""
    return {node: meterd("--node", node, "--source", "bus", "--interval", FAST) for node in "ab"}


def answered(api, instance):
    """Does anybody answer for it?"""
    try:
        return api.latest(instance)["tracked"]
    except NoResponders:
        return False


def track(api, instance, node):
    api.track(instance, node=node)
    eventually(f"{instance} is tracked on {node}", lambda: answered(api, instance))


@both_encodings
def test_requests_reach_the_owner(nodes, api, watch):
    """NATS routes each request to the meterd that tracks the id, and to no other."""
    samples = {instance: watch(instance) for instance in ("one", "two")}
    track(api, "one", "a")
    track(api, "two", "b")
    before = {node: meterd.stats()["requests"] for node, meterd in nodes.items()}
    for instance in samples:
        samples[instance].take(2)
        assert api.latest(instance)["sample"]["sequence"] >= 2
        assert len(api.stored(instance)) >= 2
        api.range(instance)
    for node, meterd in nodes.items():
        assert meterd.stats()["requests"] == before[node] + 3


def test_no_sample_twice(nodes, api, watch):
    """Each instance is sampled by its own meterd only."""
    samples = watch()
    for n in range(6):
        track(api, f"i{n}", "ab"[n % 2])
    eventually("three of each", lambda: len(samples.received()) >= 18)
    seen = [(instance, sample["sequence"]) for instance, sample in samples.received()]
    assert len(seen) == len(set(seen))
    assert {instance for instance, _ in seen} == {f"i{n}" for n in range(6)}


@both_encodings
def test_list_gathers(nodes, api):
    """metrics.list without a queue group: every meterd answers for its own, with its node."""
    track(api, "one", "a")
    track(api, "two", "b")
    lists = api.gather_lists(2)
    assert {node: [entry["instance_id"] for entry in reply["instances"]]
            for node, reply in lists.items()} == {"a": ["one"], "b": ["two"]}
    assert [reply["total"] for reply in lists.values()] == [1, 1]


def test_unknown_id(nodes, bus):
    """An id that nobody has is answered by NATS with "no responders" at once."""
    for kind in ("range", "latest"):
        with pytest.raises(NoResponders):
            checked(bus.request(f"metrics.{kind}.nobody"))


def test_untracked_id(nodes, api, watch):
    """After an untrack nobody answers for the id; one final sample went out."""
    samples = watch("one")
    track(api, "one", "a")
    samples.next()
    api.untrack("one", node="a")
    assert samples.wait_for(lambda sample: sample.get("final"))
    eventually("nobody answers", lambda: not answered(api, "one"))


def test_request_behind_an_untrack(nodes, api, bus):
    """A request that has already come in when its instance goes is answered all the same."""
    track(api, "one", "a")
    reply, answers = bus.inbox()
    nodes["a"].stop()
    bus.send(pub_bytes("instance.deleted.one") + pub_bytes("metrics.latest.one", reply=reply))
    bus.flush()
    nodes["a"].cont()
    assert answers.next().headers["Content-Type"]


def test_event_without_node(nodes, api, watch):
    """An event without node applies only to an id already tracked."""
    api.track("stray")
    track(api, "one", "a")
    api.event("scaled", "one", workload_id="wl_1")
    api.event("started", "stray")
    eventually("it applies", lambda: [entry.get("workload_id") for entry in
                                      api.gather_lists(2)["a"]["instances"]] == ["wl_1"])
    assert not answered(api, "stray")
    for meterd in nodes.values():
        assert meterd.stats()["events_elsewhere"] >= 2
    samples = watch("one")
    api.untrack("one")
    assert samples.wait_for(lambda sample: sample.get("final"))


def test_instance_moves(nodes, api, watch):
    """Only instances whose Target.node is the own are tracked: one that moves is let go."""
    samples = watch("one")
    track(api, "one", "a")
    samples.take(2)
    api.event("started", "one", node="b")
    eventually("it is on b only", lambda: {
        node: reply["total"] for node, reply in api.gather_lists(2).items()} == {"a": 0, "b": 1})
    eventually("b answers", lambda: answered(api, "one"))
    assert samples.wait_for(lambda sample: sample["sequence"] == 1 and "final" not in sample)


def test_owner_is_gone(nodes, api):
    """With its meterd gone nobody answers for an id; the other one goes on."""
    track(api, "one", "a")
    track(api, "two", "b")
    assert nodes["a"].terminate() == 0
    assert not answered(api, "one")
    assert answered(api, "two")


def test_queue_group(meterd, api, bus, control_plane):
    """Request endpoints listen in the queue group q: beside another member each is asked once."""
    meterd("--source", "bus", "--interval", FAST)
    api.track("one")
    eventually("tracked", lambda: api.latest("one")["tracked"])
    member = bus.sub("metrics.latest.*", queue="q",
                     on_message=lambda question: bus.pub(question.reply, b"\x0a\x03our"))
    bus.flush()
    reply, answers = bus.inbox()
    for _ in range(200):
        bus.pub("metrics.latest.one", reply=reply)
    for _ in range(200):
        answers.next()
    bus.flush()
    ours = [answer.data.startswith(b"\x0a\x03our") for answer in answers.received()]
    assert len(ours) == 200 and {True, False} == set(ours)
    member.unsub()


def test_other_prefix_is_another_world(nodes, meterd, bus):
    """Two meterds behind different prefixes do not hear each other's requests."""
    meterd("--subject-prefix", "other")
    assert "node" not in Api(bus, prefix="other").list()
    assert set(Api(bus).gather_lists(2)) == {"a", "b"}
