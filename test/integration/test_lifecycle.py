"""design.md, sections 2 and 3: lifecycle events, and who lives after them."""

import json

import pytest

from messages import MIB, MINUTE, Api, both_encodings, event, now_ms
from processes import FAST, eventually

@pytest.fixture
def service(meterd, control_plane):
    """A meterd whose instances can all be read."""
    return meterd("--source", "bus", "--interval", FAST)


def settle(api, service):
    """Returns once every event published before has been taken: one that came after has been."""
    seen = service.stats()["events_other"]
    api.event("health_changed", "settle")
    service.wait_stats("events are taken", lambda stats: stats["events_other"] > seen)


def tracked(api, service, instance):
    settle(api, service)
    return api.latest(instance)["tracked"]


# --- which events do what ---

@both_encodings
@pytest.mark.parametrize("kind", ["created", "started", "unsuspended"])
def test_tracks(service, api, watch, kind):
    """created, started and unsuspended track; the first sample is taken at once."""
    samples = watch("one")
    api.event(kind, "one", tenant="ten_1", workload_id="wl_1")
    assert samples.next()["sequence"] == 1
    entry = api.entries()["one"]
    assert (entry["tenant_id"], entry["workload_id"]) == ("ten_1", "wl_1")


@both_encodings
@pytest.mark.parametrize("kind", ["stopped", "suspended", "failed", "scaled"])
def test_keeps(service, api, watch, kind):
    """stopped, suspended, failed and scaled leave the ring as it is, and track nothing new."""
    samples = watch("one")
    api.track("one")
    samples.take(2)
    since = api.entries()["one"]["tracked_since"]
    api.event(kind, "one")
    api.event(kind, "other")
    assert not tracked(api, service, "other")
    assert samples.wait_for(lambda sample: sample["sequence"] >= 4)
    assert api.entries()["one"]["tracked_since"] == since
    assert len(api.stored("one")) >= 4


@both_encodings
def test_deleted_untracks(service, api, watch):
    """deleted untracks and discards; watchers are told of it."""
    samples = watch("one")
    api.track("one")
    samples.take(2)
    api.untrack("one")
    assert samples.wait_for(lambda sample: sample.get("final"))
    assert not tracked(api, service, "one")
    assert api.list() == {"instances": [], "total": 0}


def test_deleted_for_the_unknown(service, api, watch):
    """No final sample for an id that is not tracked; untrack is idempotent."""
    samples = watch()
    api.untrack("one")
    settle(api, service)
    api.track("one")
    assert samples.next()["sequence"] == 1
    api.untrack("one")
    api.untrack("one")
    settle(api, service)
    api.bus.flush()
    assert [s.get("final", False) for _, s in samples.received()].count(True) == 1


@both_encodings
def test_duplicates(service, api, watch):
    """track is idempotent: the same event again, or another that tracks, changes nothing."""
    samples = watch("one")
    at = now_ms()
    api.track("one", at=at)
    samples.take(2)
    since = api.entries()["one"]["tracked_since"]
    for kind in ("created", "started", "unsuspended", "created"):
        api.event(kind, "one", at=at)
    settle(api, service)
    samples.take(2)
    assert api.entries()["one"]["tracked_since"] == since
    sequences = [sample["sequence"] for _, sample in samples.received()]
    assert sequences == list(range(1, len(sequences) + 1))


def test_other_types(service, api):
    """A type that is no concern here is counted and changes nothing."""
    before = service.stats()
    api.event("health_changed", "one")
    api.event("exploded", "one")
    after = service.wait_stats("both are counted", lambda stats:
                               stats["events_other"] == before["events_other"] + 2)
    assert after["events_malformed"] == before["events_malformed"]
    assert not api.latest("one")["tracked"]


# --- order ---

@both_encodings
def test_late_created_does_not_resurrect(service, api):
    """Section 3, row 14: an event older than the last one applied to that id changes nothing."""
    at = now_ms()
    api.track("one", at=at - 2000)
    api.untrack("one", at=at)
    api.track("one", at=at - 1000)
    assert not tracked(api, service, "one")
    assert service.stats()["events_stale"] == 1
    api.track("one", at=at + 1)
    assert tracked(api, service, "one")


def test_deleted_before_created(service, api):
    """Row 14 also for an id that was never tracked: its deletion came first."""
    at = now_ms()
    api.untrack("one", at=at)
    api.track("one", at=at - 1)
    assert not tracked(api, service, "one")


def test_late_deleted_does_not_untrack(service, api):
    """Row 14: a deletion older than the start applied last is of the life before."""
    at = now_ms()
    api.track("one", at=at)
    api.untrack("one", at=at - 1)
    assert tracked(api, service, "one")
    assert service.stats()["events_stale"] == 1


def test_equal_stamps_apply_in_order(service, api):
    """Events: equal ones apply in order of arrival."""
    at = now_ms()
    api.track("one", at=at)
    api.untrack("one", at=at)
    assert not tracked(api, service, "one")
    api.track("one", at=at)
    assert tracked(api, service, "one")


@both_encodings
def test_without_timestamp(service, api):
    """Events: without a timestamp the time of arrival counts."""
    api.track("one")
    api.untrack("one")
    assert not tracked(api, service, "one")
    api.track("one", at=now_ms() - MINUTE)
    assert not tracked(api, service, "one")
    api.track("one")
    assert tracked(api, service, "one")


@both_encodings
def test_far_ahead_is_now(service, api):
    """Events: more than 5 minutes ahead is taken as now and counted, so that it can be deleted."""
    api.track("one", at=now_ms() + 6 * MINUTE)
    assert tracked(api, service, "one")
    assert service.stats()["events_ahead"] == 1
    api.untrack("one", at=now_ms())
    assert not tracked(api, service, "one")


def test_little_ahead_is_believed(service, api):
    """Events: up to 5 minutes ahead the stamp counts as it is."""
    api.track("one", at=now_ms() + 4 * MINUTE)
    api.untrack("one", at=now_ms())
    assert tracked(api, service, "one")
    assert service.stats()["events_ahead"] == 0
    api.untrack("one", at=now_ms() + 4 * MINUTE + 1000)
    assert not tracked(api, service, "one")


# --- tombstones ---

def test_tombstones_are_bounded(meterd, api):
    """Tombstones: beyond --max-tombstones the oldest is forgotten, and counted."""
    service = meterd("--source", "bus", "--max-tombstones", "2")
    at = now_ms()
    for instance in ("a", "b", "c"):
        api.untrack(instance, at=at)
    for instance in ("b", "c", "a"):
        api.track(instance, at=at - 1)
    settle(api, service)
    assert list(api.entries()) == ["a"]
    stats = service.stats()
    assert (stats["tombstones"], stats["tombstones_evicted"]) == (2, 1)


def test_tombstones_age(meterd, api):
    """Tombstones: forgotten after --tombstone-ttl."""
    service = meterd("--source", "bus", "--tombstone-ttl", "1s")
    at = now_ms()
    api.untrack("one", at=at)
    api.track("one", at=at - 1)
    assert not tracked(api, service, "one")

    def late_event_tracks():
        api.track("one", at=at - 1)
        return api.latest("one")["tracked"]

    eventually("the tombstone is forgotten", late_event_tracks)
    assert now_ms() - at >= 1000


def test_instances_are_bounded(meterd, api):
    """Instances: beyond --max-instances none is tracked, and each refusal is counted."""
    service = meterd("--source", "bus", "--max-instances", "2")
    for instance in ("a", "b", "c", "d"):
        api.track(instance)
    settle(api, service)
    assert list(api.entries()) == ["a", "b"]
    stats = service.stats()
    assert (stats["instances"], stats["instances_refused"]) == (2, 2)
    api.untrack("a")
    api.track("c")
    settle(api, service)
    assert list(api.entries()) == ["b", "c"]


# --- body and subject ---

@pytest.mark.parametrize("kind", ["created", "started", "unsuspended"])
def test_empty_body(service, api, bus, kind):
    """An empty body is read from the subject instance.<type>.<id>."""
    bus.pub(f"instance.{kind}.one")
    assert tracked(api, service, "one")
    bus.pub("instance.deleted.one")
    assert not tracked(api, service, "one")


def test_empty_body_without_id(service, api, bus):
    """An empty body on instance.<type> says nothing: malformed."""
    bus.pub("instance.created")
    bus.pub("instance.created.one.two")
    service.wait_stats("both are counted", lambda stats: stats["events_malformed"] == 2)
    assert api.list()["total"] == 0


@both_encodings
def test_body_counts(service, api, bus, encoding):
    """The body is authoritative: neither type nor id of the subject count."""
    api.track("one")
    bus.pub("instance.deleted.one", event(encoding, "created", "two"))
    bus.pub("instance.created", event(encoding, "created", "three"))
    settle(api, service)
    assert list(api.entries()) == ["one", "three", "two"]


def test_plain_type(service, api, bus):
    """The control plane's own envelope on instance.<type>: a payload of its own, time in ns."""
    envelope = {"id": "evt_01h455vb4pex5vsknk084sn02q", "type": "instance.created",
                "tenant_id": "ten_01h455vb4pex5vsknk084sn02q",
                "instance_id": "inst_01h455vb4pex5vsknk084sn02q", "actor_id": "usr_1",
                "payload": {"region": "eu", "replicas": 2},
                "timestamp": "2026-01-02T03:04:05.678901234+01:00"}
    bus.pub("instance.created", json.dumps(envelope).encode())
    assert tracked(api, service, envelope["instance_id"])
    assert api.entries()[envelope["instance_id"]]["tenant_id"] == envelope["tenant_id"]


MALFORMED = {
    "no id": b'{"type":"instance.created"}',
    "no type": b'{"instance_id":"one"}',
    "id a number": b'{"type":"instance.created","instance_id":7}',
    "cut short": b'{"type":"instance.created","instance_id":"one"',
    "trailing bytes": b'{"type":"instance.created","instance_id":"one"}}',
    "key twice": b'{"type":"instance.created","instance_id":"one","instance_id":"one"}',
    "a list called JSON": b'[{"type":"instance.created","instance_id":"one"}]',
    "protobuf without id": b"\x12\x10instance.created",
    "protobuf cut short": b"\x12\x10instance.create",
    "protobuf not UTF-8": b"\x12\x10instance.created\x22\x03on\xff",
    "protobuf with NUL": b"\x12\x10instance.created\x22\x04one\x00",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(service, api, bus, name):
    """What cannot be understood is counted and changes nothing, whatever its subject says."""
    bus.pub("instance.created.one", MALFORMED[name])
    service.wait_stats("it is counted", lambda stats: stats["events_malformed"] == 1)
    assert api.list()["total"] == 0


@pytest.mark.parametrize("encoding, body", [("json", b"\x12\x00"), ("protobuf", b"{}")])
def test_content_type_of_events(service, api, bus, encoding, body):
    """Encoding of events: the header Content-Type decides before the first byte does."""
    header = {"json": "application/json", "protobuf": "application/x-protobuf"}
    bus.pub("instance.created", body, headers={"Content-Type": header[encoding]})
    service.wait_stats("it is malformed", lambda stats: stats["events_malformed"] == 1)
    bus.pub("instance.created", event(encoding, "created", "one"),
            headers={"Content-Type": header[encoding]})
    assert tracked(api, service, "one")


# --- Target ---

@both_encodings
def test_target_merges(service, api):
    """Target merges field by field: what a later event does not say stays."""
    api.track("one", tenant="ten_1", workload_id="wl_1", node="n_1")
    api.event("started", "one", container_id="c_1")
    settle(api, service)
    entry = api.entries()["one"]
    assert (entry["tenant_id"], entry["workload_id"]) == ("ten_1", "wl_1")
    api.event("scaled", "one", workload_id="wl_2")
    settle(api, service)
    assert api.entries()["one"]["workload_id"] == "wl_2"


@both_encodings
def test_older_event_fills_what_is_empty(service, api):
    """Target: an older event may still fill fields that are empty, and no others."""
    at = now_ms()
    api.track("one", at=at)
    api.event("scaled", "one", at=at - 1000, workload_id="wl_1")
    settle(api, service)
    assert api.entries()["one"]["workload_id"] == "wl_1"
    api.event("scaled", "one", at=at - 500, workload_id="wl_2")
    settle(api, service)
    assert api.entries()["one"]["workload_id"] == "wl_1"


def test_target_of_wrong_types(service, api, bus):
    """JSON: a key of the wrong type is ignored, the event still applies."""
    payload = {"pid": "many", "workload_id": "wl_1", "node": ["a"], "container_id": {}}
    body = {"id": 7, "type": "instance.created", "instance_id": "one", "tenant_id": False,
            "actor_id": None, "timestamp": "yesterday", "payload": payload}
    bus.pub("instance.created", json.dumps(body).encode())
    assert tracked(api, service, "one")
    assert api.entries()["one"]["workload_id"] == "wl_1"


@pytest.mark.parametrize("payload", ["[]", '"text"', "7", "null"])
def test_payload_no_object(service, api, bus, payload):
    """JSON: a payload that is no object says nothing, the event still applies."""
    bus.pub("instance.created",
            f'{{"type":"instance.created","instance_id":"one","payload":{payload}}}'.encode())
    assert tracked(api, service, "one")


@both_encodings
def test_target_names_the_process(meterd, api, watch, worker):
    """Target.pid: source auto reads the process; another pid is another incarnation, same track."""
    meterd("--interval", FAST)
    first, second = worker(), worker()
    second.take_anonymous(64 * MIB)
    samples = watch("one")
    api.track("one", pid=first.pid)
    samples.take(3)
    assert api.entries()["one"]["source"] == "process"
    api.event("started", "one", pid=second.pid)
    moved = samples.wait_for(lambda sample: sample["memory_used_bytes"] >= 64 * MIB)
    assert moved["sequence"] > 3
    assert "cpu_percent" not in moved
    assert "cpu_percent" in samples.next()


def test_own_events_do_not_cross(meterd, api, bus):
    """Settings: events count on the lifecycle subject only."""
    service = meterd("--source", "bus", "--lifecycle-subject", "events.of.instance.>")
    api.track("one")
    elsewhere = Api(bus, lifecycle="events.of.instance")
    elsewhere.track("two")
    settle(elsewhere, service)
    assert list(api.entries()) == ["two"]
