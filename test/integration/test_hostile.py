"""design.md, sections 2 and 3: whatever the bus brings, meterd answers what it can and goes on."""

import random

import pytest

import pb
from controlplane import STEADY, usage_body
from messages import ERROR_CODE, JSON_TYPE, PROTOBUF_TYPE, event, range_request
from natsclient import pub_bytes
from processes import FAST, eventually

SUBJECTS = ["metrics.range.one", "metrics.latest.one", "metrics.list", "instance.created.one",
            "instance.started", "instance.deleted.two"]
TYPES = [None, {"Content-Type": JSON_TYPE}, {"Content-Type": PROTOBUF_TYPE}]
MAX_BODY = 65536


@pytest.fixture
def service(meterd, control_plane, api, watch):
    """A meterd that samples "good", and at the end still does, over the same connection."""
    running = meterd("--source", "bus", "--interval", FAST)
    samples = watch("good")
    api.track("good")
    samples.next()
    yield running
    held = len(samples.received())
    eventually("sampling goes on", lambda: len(samples.received()) > held + 2)
    sequences = [sample["sequence"] for _, sample in samples.received()]
    assert sequences == list(range(1, len(sequences) + 1))
    assert api.latest("good")["tracked"]
    assert api.bus.errors == []
    assert running.stats()["disconnects"] == 0


def send_and_collect(bus, messages):
    """Publishes (subject, body, headers) in one write, each with a reply subject of its own, and
    returns the answers to those that are requests."""
    reply, answers = bus.inbox()
    bus.send(b"".join(pub_bytes(subject, body, reply, headers)
                      for subject, body, headers in messages))
    requests = [message for message in messages if message[0].startswith("metrics.")]
    return [answers.next() for _ in requests]


def codes(answers):
    return {answer.headers.get(ERROR_CODE, "200") for answer in answers}


def truncated(body):
    return [body[:n] for n in range(len(body) + 1)]


BODIES = {
    "empty": [b""],
    "truncated protobuf request": truncated(range_request(
        "protobuf", since=1, until=2, resolution=3, aggregates=["max", "min"], align="epoch")),
    "truncated JSON request": truncated(range_request(
        "json", since=1, until=2, resolution=3, aggregates=["max", "min"], align="epoch")),
    "truncated protobuf event": truncated(event(
        "protobuf", "created", "two", at=1, tenant="t", node="n", pid=1)),
    "truncated JSON event": truncated(event(
        "json", "created", "two", at=1, tenant="t", node="n", pid=1)),
    "nested": [b"{" * 3000, b'{"a":' * 3000, b"[" * 60000, b"\x3a" * 60000,
               b'{"payload":' + b"[" * 5000 + b"]" * 5000 + b"}"],
    "oversized": [b"x" * (MAX_BODY + 1), b"{" + b" " * MAX_BODY + b"}", b"\x00" * 900_000,
                  b'{"since":"' + b"1" * 500_000 + b'"}', b"\x0a" + b"\xff" * 100_000],
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies(service, bus, name):
    """Every subject survives bodies that are empty, cut short, nested deep, or too large."""
    messages = [(subject, body, headers) for subject in SUBJECTS for body in BODIES[name]
                for headers in TYPES]
    for n in range(0, len(messages), 500):  # fewer at once than may be pending
        assert codes(send_and_collect(bus, messages[n:n + 500])) <= {"200", "400", "413"}


@pytest.mark.parametrize("seed", range(8))
def test_random_bodies(service, bus, seed):
    """Every subject survives noise, and good messages with a few bytes changed."""
    rng = random.Random(seed)
    good = [range_request(encoding, since=1, until=2, aggregates=["max"])
            for encoding in ("protobuf", "json")]
    good += [event(encoding, "created", "two", node="n") for encoding in ("protobuf", "json")]

    def body():
        if rng.random() < 0.3:
            return rng.randbytes(rng.randrange(300))
        changed = bytearray(rng.choice(good))
        for _ in range(rng.randrange(1, 4)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        return bytes(changed)

    messages = [(rng.choice(SUBJECTS), body(), rng.choice(TYPES)) for _ in range(3000)]
    for n in range(0, len(messages), 500):
        assert codes(send_and_collect(bus, messages[n:n + 500])) <= {"200", "400", "413"}


def test_oversized_events_are_counted(service, bus):
    """An event over --max-body-bytes is not looked at, and counted."""
    bus.pub("instance.created.two", event("json", "created", "two") + b" " * MAX_BODY)
    service.wait_stats("it is counted", lambda stats: stats["events_oversized"] == 1)
    assert service.stats()["instances"] == 1


@pytest.mark.parametrize("seed", range(4))
def test_random_answers(service, api, control_plane, seed):
    """Answers of the control plane: noise, and good ones with a few bytes changed."""
    rng = random.Random(seed)
    good = [usage_body({**STEADY, "incarnation": "i"}, encoding)
            for encoding in ("protobuf", "json")]

    def answer(_instance, _n, question):
        body = bytearray(rng.choice([*good, rng.randbytes(rng.randrange(1, 200))]))
        body[rng.randrange(len(body))] = rng.randrange(256)
        bodies = [bytes(body), b"", bytes(body) * 2000]
        for _ in range(rng.randrange(1, 3)):  # also twice
            control_plane.reply(question, rng.choice(bodies), rng.choice(TYPES))

    control_plane.answer_random = answer
    for n in range(20):
        control_plane.modes[f"i{n}"] = "random"
        api.track(f"i{n}")
    asked = control_plane.questions
    eventually("200 questions", lambda: sum(asked.get(f"i{n}", 0) for n in range(20)) >= 200)
    stats = service.stats()
    assert stats["bus_failed_unreadable"] > 0 and stats["answers_late"] > 0


BAD_IDS = {
    "empty": "", "blank": "a b", "leading blank": " a", "dot": "a.b", "star": "*", "all": ">",
    "CRLF": "a\r\nPUB instance.deleted.good 0\r\n\r\n", "LF": "a\n", "NUL": "a\x00b", "tab": "a\tb",
    "3 KB": "a" * 3072, "129": "a" * 129, "not ASCII": "größe", "slash": "../../etc/passwd",
    "format": "%s%n", "quote": '"', "DEL": "a\x7f",
}


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
@pytest.mark.parametrize("name", BAD_IDS)
def test_bad_ids_in_events(service, api, bus, watch, encoding, name):
    """Ids: anything but [A-Za-z0-9_-]{1,128} never becomes a subject token."""
    heard = bus.sub(">")
    for kind in ("created", "deleted", "started"):
        bus.pub("instance.any", event(encoding, kind, BAD_IDS[name]))
    service.wait_stats("all are malformed", lambda stats: stats["events_malformed"] == 3)
    assert list(api.entries()) == ["good"]
    expected = ("instance.any", "metrics.instance.good", "metrics.list", "_INBOX.",
                "controlplane.instances.resources.good")
    assert all(message.subject.startswith(expected) for message in heard.received())


@pytest.mark.parametrize("name", BAD_IDS)
def test_bad_page_tokens(service, bus, name):
    """Ids also where they are page tokens: 400; an empty one is the start."""
    body = pb.ListRequest(page_token=BAD_IDS[name]).SerializeToString()
    code = bus.request("metrics.list", body).headers.get(ERROR_CODE, "200")
    assert code == ("200" if name == "empty" else "400")


@pytest.mark.parametrize("fields", [
    {"node": "a\r\nb"}, {"cgroup_path": "../../../etc"}, {"cgroup_path": "/" + "a/" * 2000},
    {"container_id": "x" * 60_000}, {"container_id": "../" * 20}, {"container_id": "f" * 64},
    {"container_name": "a b\r\n"}, {"metrics_url": "file:///etc"},
    {"workload_id": "w" * 60_000}, {"pid": -1}, {"pid": 2**63 - 1}, {"pid": 0}], ids=str)
def test_bad_targets(meterd, api, bus, fields):
    """A Target that makes no sense harms only its own instance."""
    running = meterd("--interval", FAST)
    for encoding in ("protobuf", "json"):
        bus.pub("instance.created", event(encoding, "created", f"bad-{encoding}", **fields))
    running.wait_stats("both are tracked", lambda stats: stats["instances"] == 2)
    running.wait_stats("both were read", lambda stats: stats["readings"] >= 4)
    assert list(api.entries()) == ["bad-json", "bad-protobuf"]
    assert running.stats()["disconnects"] == 0


UNANSWERABLE = ["", "metrics.latest.good", "metrics.list", "metrics.instance.good",
                "instance.deleted.good", "instance.created.injected",
                "controlplane.instances.resources.good", "controlplane.instances.list",
                "$SRV.PING", "$JS.API.INFO", "$SYS.REQ.SERVER.PING"]


@pytest.mark.parametrize("reply", UNANSWERABLE)
def test_reply_subjects_of_our_own(service, bus, api, reply):
    """Requests without a reply subject, or with one of our own, are counted and not answered."""
    before = service.stats()
    for subject in ("metrics.latest.good", "metrics.range.good", "metrics.list"):
        bus.pub(subject, reply=reply)
    after = service.wait_stats("all are counted", lambda stats: stats["requests_unanswerable"]
                               == before["requests_unanswerable"] + 3)
    assert after["requests"] == before["requests"]
    assert after["events_malformed"] == 0
    assert list(api.entries()) == ["good"]


@pytest.mark.parametrize("subject", ["metrics.range.good", "metrics.latest.good", "metrics.list"])
def test_flood(service, bus, subject):
    """5,000 requests in one write: an answer to each, some of them perhaps 429."""
    answers = send_and_collect(bus, [(subject, b"", None)] * 5000)
    assert len(answers) == 5000
    assert "200" in codes(answers) and codes(answers) <= {"200", "429"}


def test_flood_of_events(service, api, bus):
    """20,000 events in one write: all are applied."""
    bus.send(b"".join(pub_bytes("instance.any", event("protobuf", kind, f"i{n}"))
                      for n in range(10_000) for kind in ("created", "deleted")))
    service.wait_stats("all are applied", lambda stats: stats["events"] == 20_001)
    assert list(api.entries()) == ["good"]


def test_blank_in_a_subject(service, bus):
    """A blank in a subject is protocol: what follows it is a reply subject."""
    before = service.stats()["requests_unanswerable"]
    bus.send(b"PUB metrics.latest.good metrics.instance.good 0\r\n\r\n")
    service.wait_stats("not answered", lambda stats: stats["requests_unanswerable"] == before + 1)


def test_many_headers(service, bus):
    """Headers: many, long, repeated, empty."""
    headers = {f"X-{n}": "v" * 100 for n in range(500)}
    headers.update({"Content-Type": "", "Accept": "," * 5000})
    assert codes([bus.request("metrics.list", b"", headers)]) <= {"200", "400"}
    assert codes([bus.request("metrics.list", b"", {"": "", " ": " "})]) == {"200"}


@pytest.mark.parametrize("subject", ["metrics.latest.good", "instance.created.good"])
def test_flood_of_header_lines(service, bus, subject):
    """One message with 100,000 lines of one header: its headers are not looked at, and it holds up nothing.

    With a body: the library itself looks at the headers of one without, see bus.h.
    """
    head = b"NATS/1.0\r\n" + b"A: b\r\n" * 100_000 + b"\r\n"
    reply, answers = bus.inbox()
    bus.send(b"HPUB %s %s %d %d\r\n%s{}\r\n" % (subject.encode(), reply.encode(), len(head),
                                                len(head) + 2, head))
    if subject.startswith("metrics."):
        assert codes([answers.next()]) == {"400"}
    else:
        service.wait_stats("it is counted", lambda stats: stats["events_malformed"] == 1)
    assert service.stats()["loop_held_max_us"] < 1_000_000  # it was 5 s


def test_status_in_a_message(service, bus, api):
    """A message that says "no responders" is nobody's answer, and what is behind it is not held back."""
    status = b"NATS/1.0 503\r\n\r\n"
    reply, answers = bus.inbox()
    body = event("json", "created", "behind")
    for subject in (b"instance.created.x", b"metrics.latest.good"):
        bus.send(b"HPUB %s %d %d\r\n%s\r\n" % (subject, len(status), len(status), status))
    bus.send(pub_bytes("instance.created", body) + pub_bytes("metrics.latest.good", b"", reply))
    assert codes([answers.next()]) == {"200"}
    eventually("the event is applied", lambda: "behind" in api.entries())
