"""design.md, section 2: what goes out, what can be asked, and what is answered."""

import contextlib
import json
import re
import types

import pytest

import pb
from controlplane import ControlPlane
from messages import (ERROR_CODE, ERROR_TEXT, HOUR, JSON_TYPE, PROTOBUF_TYPE, Api, NoResponders,
                      ServiceError, Watch, both_encodings, checked, event, from_rfc3339, now_ms,
                      range_request)
from model import assert_rows, expected_raw, expected_rows
from natsclient import pub_bytes
from processes import FAST, Meterd, NatsServer, eventually

STEP = 10_000  # ms between the stamps of two recorded readings
RECORDED = 24


def recorded_usage(base):
    """Readings with gaps in every field, a spike, zeros, and a new incarnation half-way."""
    def usage(n):
        if n >= RECORDED:
            return None
        said = {"cpu_percent": 950.0 if n == 17 else (n * 37 % 101) * 0.93,
                "memory_used_mb": 100 + n * n % 23, "memory_limit_mb": 512,
                "network_in_mb": 1.75 * n * n, "network_out_mb": 0.0 if n < 6 else 0.01 * n,
                "at": base + n * STEP, "incarnation": "first" if n < 12 else "second"}
        for field, every in (("cpu_percent", 5), ("memory_limit_mb", 4), ("network_in_mb", 7)):
            if n % every == every - 1:
                del said[field]
        return said
    return usage


@contextlib.contextmanager
def recording(directory, *args, config=""):
    """A meterd that holds the instance "rec" with RECORDED samples, and these as published."""
    with contextlib.closing(NatsServer(directory, config)) as nats, \
            contextlib.closing(Meterd(("--source", "bus", "--interval", "100ms", *args),
                                      directory / "meterd.log", nats.url)) as meterd:
        meterd.wait_ready()
        # Half-way between two multiples of STEP, so that aligned and unaligned buckets differ.
        base = (now_ms() // STEP - RECORDED) * STEP + STEP // 2
        ControlPlane(nats.connect()).usage = recorded_usage(base)
        bus = nats.connect()
        watch = Watch(bus)
        Api(bus).track("rec")
        yield types.SimpleNamespace(
            bus=bus, meterd=meterd, samples=watch.take(RECORDED), since=base,
            until=base + RECORDED * STEP, api=lambda encoding: Api(bus, encoding))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Shared by the tests that only ask."""
    with recording(tmp_path_factory.mktemp("recorded")) as it:
        yield it


# --- range, latest and list agree with what was published ---

WINDOWS = {"all": (0, 0), "cut at both ends": (12_345, -23_456), "the middle": (80_000, -90_000),
           "nothing": (-3 * HOUR, -HOUR)}


@both_encodings
@pytest.mark.parametrize("align", ["since", "epoch"])
@pytest.mark.parametrize("resolution", [7_000, STEP, 25_000, HOUR])
@pytest.mark.parametrize("window", WINDOWS)
def test_range_agrees_with_published(recorded, encoding, window, resolution, align):
    """metrics.range: buckets of [since, until), each aggregate, absent stays absent, alignment."""
    since = recorded.since + WINDOWS[window][0]
    until = recorded.until + WINDOWS[window][1]
    asked = ["max", "mean", "last", "min"]
    reply = recorded.api(encoding).range("rec", since=since, until=until, resolution=resolution,
                                         align=align, aggregates=asked)
    if align == "epoch":
        since, until = since // resolution * resolution, -(-until // resolution) * resolution
    assert (reply["instance_id"], reply["tracked"]) == ("rec", True)
    assert (reply["since"], reply["until"], reply["resolution"]) == (since, until, resolution)
    assert [name for name, _ in reply["series"]] == asked
    for name, rows in reply["series"]:
        assert_rows(rows, expected_rows(recorded.samples, since, until, resolution, name))


@both_encodings
def test_range_raw_agrees_with_published(recorded, encoding):
    """RangeRequest.raw: the stored samples, one row each, of [since, until)."""
    rows = recorded.api(encoding).rows("rec", since=recorded.samples[2]["at"],
                                       until=recorded.samples[-1]["at"], raw=True)
    assert_rows(rows, expected_raw(recorded.samples[2:-1]))


@both_encodings
def test_latest_is_exact(recorded, encoding):
    """metrics.latest: exactly the sample last published, not its stored rounding."""
    reply = recorded.api(encoding).latest("rec")
    assert reply == {"instance_id": "rec", "tracked": True, "sample": recorded.samples[-1]}


@both_encodings
def test_list_entry(recorded, encoding):
    """ListEntry: the exact last sample, how many are held, and the source."""
    entry = recorded.api(encoding).entries()["rec"]
    assert entry["latest"] == recorded.samples[-1]
    assert entry["samples"] == RECORDED
    assert entry["source"] == "bus"


def test_sequence_starts_at_one(recorded):
    """Sample.sequence: 1, 2, 3 ... with each track."""
    assert [sample["sequence"] for sample in recorded.samples] == list(range(1, RECORDED + 1))


# --- what a range request may say ---

T = 1_700_000_000_000  # 2023-11-14T22:13:20Z

GOOD_JSON = {  # body: (since, until, resolution)
    "range before until": ('{"until":%d,"range":"6h"}' % T, (T - 6 * HOUR, T, 180_000)),
    "only until": ('{"until":%d}' % T, (T - HOUR, T, 30_000)),
    "zeros": ('{"since":0,"until":%d,"range":0,"resolution":0}' % T, (T - HOUR, T, 30_000)),
    "since is until": ('{"since":%d,"until":%d}' % (T, T), (T, T, 100)),
    "no finer than the interval": ('{"until":%d,"range":"1s"}' % T, (T - 1000, T, 100)),
    "resolution rounded up": ('{"until":%d,"range":"120001ms"}' % T, (T - 120_001, T, 1001)),
    "offset": ('{"since":"2023-11-15T00:13:20.25+02:00","until":%d}' % (T + HOUR),
               (T + 250, T + HOUR, 29_998)),
    "Z": ('{"since":"2023-11-14T22:13:20Z","until":%d}' % (T + HOUR), (T, T + HOUR, 30_000)),
    "digits of Unix ms": ('{"since":"%d","until":"%d"}' % (T, T + HOUR), (T, T + HOUR, 30_000)),
    "number of seconds": ('{"until":%d,"range":90}' % T, (T - 90_000, T, 750)),
    "digits of seconds": ('{"until":%d,"range":"90"}' % T, (T - 90_000, T, 750)),
    "ms": ('{"until":%d,"resolution":"1500ms"}' % T, (T - HOUR, T, 1500)),
    "s": ('{"until":%d,"resolution":"15s"}' % T, (T - HOUR, T, 15_000)),
    "m": ('{"until":%d,"resolution":"2m"}' % T, (T - HOUR, T, 120_000)),
    "h": ('{"until":%d,"resolution":"1.5h"}' % T, (T - HOUR, T, 5_400_000)),
    "d": ('{"until":%d,"range":"2d"}' % T, (T - 48 * HOUR, T, 1_440_000)),
    "unknown keys": ('{"until":%d,"zoom":{"since":[1,2]},"":null}' % T, (T - HOUR, T, 30_000)),
    "no window, epoch": ('{"since":%d,"until":%d,"align":"epoch"}' % (T + 1, T + 1),
                         (T + 1, T + 1, 100)),
}


@pytest.mark.parametrize("name", GOOD_JSON)
def test_range_request_json(recorded, name):
    """The request table, its good rows: defaults, times and durations in JSON."""
    body, (since, until, resolution) = GOOD_JSON[name]
    reply = json.loads(checked(recorded.bus.request("metrics.range.rec", body.encode())).data)
    assert (from_rfc3339(reply["since"]), from_rfc3339(reply["until"])) == (since, until)
    assert reply["resolution_ms"] == resolution
    assert reply["tracked"] is True


@both_encodings
def test_range_defaults(recorded, encoding):
    """The request table: nothing said means the last hour, resolution window / 120, MEAN."""
    before = now_ms()
    reply = recorded.api(encoding).range("rec")
    assert before <= reply["until"] <= now_ms()
    assert reply["until"] - reply["since"] == HOUR
    assert reply["resolution"] == HOUR // 120
    assert [name for name, _ in reply["series"]] == ["mean"]
    assert sum(row["count"] for row in reply["series"][0][1]) == RECORDED


@both_encodings
def test_range_since_is_until(recorded, encoding):
    """The request table: since = until is empty, with one Series for each aggregate asked."""
    reply = recorded.api(encoding).range("rec", since=recorded.since, until=recorded.since,
                                         aggregates=["last", "min"])
    assert reply["series"] == [("last", []), ("min", [])]


BAD_JSON = {  # body: the field that the sentence names
    "since after until": (b'{"since":2000,"until":1000}', "since"),
    "since in the future": (b'{"since":"9000-01-01T00:00:00Z"}', "since"),
    "negative since": (b'{"since":-1}', "since"),
    "since before 1970": (b'{"since":"1969-12-31T23:59:59Z"}', "since"),
    "negative until": (b'{"until":-1}', "until"),
    "negative range": (b'{"range":"-5s"}', "range"),
    "negative resolution": (b'{"resolution":-1}', "resolution"),
    "after year 9999": (b'{"until":253402300800000}', "until"),
    "range over 100 years": (b'{"range":"36526d"}', "range"),
    "resolution over 100 years": (b'{"resolution":"36526d"}', "resolution"),
    "since and range": (b'{"since":1,"range":"1h"}', "range"),
    "aggregate twice": (b'{"aggregates":["max","mean","max"]}', "aggregates"),
    "unknown aggregate": (b'{"aggregates":["median"]}', "aggregates"),
    "aggregates not a list": (b'{"aggregates":"max"}', "aggregates"),
    "unknown align": (b'{"align":"week"}', "align"),
    "since a bool": (b'{"since":true}', "since"),
    "since a list": (b'{"since":[1]}', "since"),
    "since no time": (b'{"since":"yesterday"}', "since"),
    "until no day": (b'{"until":"2026-02-30T00:00:00Z"}', "until"),
    "resolution no duration": (b'{"resolution":"fast"}', "resolution"),
    "unknown unit": (b'{"range":"5 parsecs"}', "range"),
    "raw a number": (b'{"raw":1}', "raw"),
    "trailing bytes": (b'{}{}', ""),
    "key twice": (b'{"since":1,"since":2}', ""),
    "cut short": (b'{"since":1', ""),
    "overflow": (b'{"since":99999999999999999999999}', ""),
    "not UTF-8": (b'{"since":"\xff"}', ""),
    "blank first: protobuf": (b' {"since":1}', ""),
}


@pytest.mark.parametrize("name", BAD_JSON)
def test_range_request_malformed_json(recorded, name):
    """The request table, its 400s in JSON: an empty reply whose sentence names the field."""
    body, field = BAD_JSON[name]
    answer = recorded.bus.request("metrics.range.rec", body)
    assert (answer.data, answer.headers[ERROR_CODE]) == (b"", "400")
    assert field in answer.headers[ERROR_TEXT]


BAD_PROTOBUF = {
    "since after until": (dict(since=2000, until=1000), "since"),
    "negative since": (dict(since=-1), "since"),
    "negative until": (dict(until=-1), "until"),
    "negative range": (dict(range=-1), "range"),
    "negative resolution": (dict(resolution=-1), "resolution"),
    "after year 9999": (dict(until=253402300800000), "until"),
    "range over 100 years": (dict(range=3_155_760_000_001), "range"),
    "resolution over 100 years": (dict(resolution=3_155_760_000_001), "resolution"),
    "since and range": (dict(since=1, range=1), "range"),
    "aggregate twice": (dict(aggregates=["max", "max"]), "aggregates"),
    "aggregate outside its list": (b"\x20\x07", "aggregates"),
    "packed aggregate outside its list": (b"\x22\x02\x00\x04", "aggregates"),
    "align outside its list": (b"\x28\x02", "align"),
    "wrong wire type": (b"\x09\x00\x00\x00\x00\x00\x00\x00\x00", "since"),
    "cut short": (b"\x08\xff", ""),
    "field 0": (b"\x00\x01", ""),
    "length past the end": (b"\x22\x7f\x00", ""),
}


@pytest.mark.parametrize("name", BAD_PROTOBUF)
def test_range_request_malformed_protobuf(recorded, name):
    """The request table, its 400s in protobuf; an enum value outside its list is one."""
    said, field = BAD_PROTOBUF[name]
    body = said if isinstance(said, bytes) else range_request("protobuf", **said)
    answer = recorded.bus.request("metrics.range.rec", body)
    assert (answer.data, answer.headers[ERROR_CODE]) == (b"", "400")
    assert field in answer.headers[ERROR_TEXT]


@pytest.mark.parametrize("body", [
    b"\x22\x02\x02\x00", b"\x20\x02\x20\x00", b"\x20\x02\x22\x01\x00"],
    ids=["packed", "unpacked", "mixed"])
def test_packed_and_unpacked(recorded, body):
    """Readers accept repeated numbers packed and unpacked, and ignore fields they do not know."""
    unknown = b"\xa2\x06\x03abc\x98\x06\x07"  # field 100 a string, field 99 a number
    answer = checked(recorded.bus.request("metrics.range.rec", body + unknown))
    asked = [series.aggregate for series in pb.RangeReply.FromString(answer.data).series]
    assert asked == [pb.Aggregate.Value("MAX"), pb.Aggregate.Value("MEAN")]


@both_encodings
@pytest.mark.parametrize("aggregates", [["mean"], ["mean", "min", "max", "last"]], ids=len)
@pytest.mark.parametrize("align", ["since", "epoch"])
def test_too_many_points(recorded, encoding, aggregates, align):
    """413: over 11,000 points whatever the ring holds; the sentence names the finest resolution."""
    buckets = 11_000 // len(aggregates)
    said = {"until": T, "aggregates": aggregates, "align": align}
    api = recorded.api(encoding)
    with pytest.raises(ServiceError) as error:
        api.range("rec", since=T - (buckets + 1) * 1000, resolution=1000, **said)
    assert error.value.code == 413
    finest = int(re.search(r"(\d+) ms", error.value.text)[1])
    assert finest > 1000
    assert api.range("rec", since=T - buckets * 1000, resolution=1000, **said)["tracked"]
    assert api.range("rec", since=T - (buckets + 1) * 1000, resolution=finest, **said)["tracked"]
    with pytest.raises(ServiceError):
        api.range("rec", since=T - (buckets + 1) * 1000, resolution=finest - 1, **said)


def test_reply_over_max_payload(tmp_path):
    """413: an encoded reply over max_payload less 4 KiB; raw is cut into pages instead."""
    with recording(tmp_path, config="max_payload: 8704") as small:
        api = small.api("json")
        said = {"since": small.since, "until": small.until, "aggregates": ["mean", "max"]}
        with pytest.raises(ServiceError) as error:
            api.range("rec", resolution=STEP, **said)
        assert error.value.code == 413
        fits = int(re.search(r"(\d+) ms", error.value.text)[1])
        assert api.range("rec", resolution=fits, **said)["tracked"]
        assert_rows(raw_pages(api, small), expected_raw(small.samples))


@both_encodings
def test_raw_pages(tmp_path, encoding):
    """RangeReply.next_since_unix_ms: more remain; the pages together are every row once."""
    with recording(tmp_path, "--max-reply-points", "8") as paged:
        assert_rows(raw_pages(paged.api(encoding), paged), expected_raw(paged.samples))


def raw_pages(api, recorded):
    """The rows of all pages, of which there is more than one."""
    reply = api.range("rec", since=recorded.since, until=recorded.until, raw=True)
    assert "next_since" in reply
    rows = reply["series"][0][1]
    while "next_since" in reply:
        reply = api.range("rec", since=reply["next_since"], until=recorded.until, raw=True)
        rows += reply["series"][0][1]
    return rows


# --- encodings ---

EMPTY_RANGE = pb.RangeRequest(until_unix_ms=T).SerializeToString()

ENCODINGS = {  # body, headers: type of the reply, None = 400
    "empty": (b"", None, PROTOBUF_TYPE),
    "empty, accepts JSON": (b"", {"Accept": JSON_TYPE}, JSON_TYPE),
    "empty, accepts anything": (b"", {"Accept": "*/*"}, PROTOBUF_TYPE),
    "brace": (b"{}", None, JSON_TYPE),
    "brace and header": (b"{}", {"Content-Type": JSON_TYPE}, JSON_TYPE),
    "header in lower case": (b"{}", {"content-type": JSON_TYPE}, JSON_TYPE),
    "blank, brace and header": (b" {}", {"Content-Type": JSON_TYPE}, JSON_TYPE),
    "protobuf": (EMPTY_RANGE, None, PROTOBUF_TYPE),
    "protobuf and header": (EMPTY_RANGE, {"Content-Type": PROTOBUF_TYPE}, PROTOBUF_TYPE),
    "protobuf, accepts JSON": (EMPTY_RANGE, {"Accept": JSON_TYPE}, PROTOBUF_TYPE),
    "brace called protobuf": (b"{}", {"Content-Type": PROTOBUF_TYPE}, None),
    "protobuf called JSON": (EMPTY_RANGE, {"Content-Type": JSON_TYPE}, None),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_encoding_of_replies(recorded, name):
    """Encoding: header, else first byte; a reply has the encoding of its request and says so."""
    body, headers, expected = ENCODINGS[name]
    answer = recorded.bus.request("metrics.range.rec", body, headers)
    if expected is None:
        assert (answer.data, answer.headers[ERROR_CODE]) == (b"", "400")
        return
    assert answer.headers["Content-Type"] == expected
    assert (answer.data[:1] == b"{") == (expected == JSON_TYPE)


@pytest.mark.parametrize("accept, expected", [(None, PROTOBUF_TYPE), (JSON_TYPE, JSON_TYPE)])
@pytest.mark.parametrize("subject", ["range.rec", "latest.rec", "list"])
def test_empty_requests(recorded, subject, accept, expected):
    """Encoding: an empty request means all defaults, on every endpoint."""
    answer = recorded.bus.request(f"metrics.{subject}", b"", accept and {"Accept": accept})
    assert checked(answer).headers["Content-Type"] == expected


def test_json_doubles_read_back(recorded):
    """JSON: doubles are printed so that they read back exactly; memory also in whole MiB."""
    text = recorded.bus.request("metrics.latest.rec", b"", {"Accept": JSON_TYPE}).data
    sample = json.loads(text)["sample"]
    exact = recorded.samples[-1]
    assert sample["cpu_percent"] == exact["cpu_percent"]
    assert f'"cpu_percent":{exact["cpu_percent"]!r}'.encode() in text.replace(b" ", b"")
    assert sample["memory_used_mb"] == exact["memory_used_bytes"] >> 20


# --- ids ---

@both_encodings
def test_unknown_id(recorded, encoding):
    """A query for an unknown instance is an empty answer with tracked = false, not an error."""
    api = recorded.api(encoding)
    reply = api.range("nobody", since=T, until=T + HOUR)
    assert (reply["instance_id"], reply["tracked"], reply["series"]) == ("nobody", False, [])
    assert (reply["since"], reply["until"], reply["resolution"]) == (T, T + HOUR, 30_000)
    assert api.latest("nobody") == {"instance_id": "nobody", "tracked": False}


@pytest.mark.parametrize("instance", ["a!", "a$b", "größe", "a" * 129, "a,b", "a/b", "a\x01"])
def test_request_with_a_bad_id(recorded, instance):
    """Ids: anything but [A-Za-z0-9_-]{1,128} in a request's subject is a 400."""
    for kind in ("range", "latest"):
        answer = recorded.bus.request(f"metrics.{kind}.{instance}")
        assert (answer.data, answer.headers[ERROR_CODE]) == (b"", "400")


@pytest.mark.parametrize("instance", ["a", "-", "_", "A-Z_0-9", "x" * 128])
def test_ids_that_may_be(meterd, api, watch, control_plane, instance):
    """Ids: each of [A-Za-z0-9_-]{1,128}, as a token of the subject of its samples."""
    meterd("--source", "bus", "--interval", FAST)
    samples = watch(instance)
    api.track(instance)
    assert samples.next()["sequence"] == 1
    assert api.latest(instance)["tracked"]


def test_more_tokens_are_no_request(recorded):
    """Ids are one token: metrics.range.a.b is nobody's subject."""
    with pytest.raises(NoResponders):
        checked(recorded.bus.request("metrics.range.a.b"))


# --- samples ---

@both_encodings
def test_final_sample(meterd, api, watch, control_plane):
    """final: on untrack one last Sample with the next sequence and no readings; not stored."""
    meterd("--source", "bus", "--interval", FAST)
    samples = watch("one")
    api.track("one")
    samples.take(3)
    before = now_ms()
    api.untrack("one")
    final = samples.wait_for(lambda sample: "final" in sample)
    others = [sample for _, sample in samples.received()[:-1]]
    assert final == {"final": True, "sequence": others[-1]["sequence"] + 1, "at": final["at"]}
    assert before - 1000 <= final["at"] <= now_ms()
    assert api.latest("one") == {"instance_id": "one", "tracked": False}
    assert api.range("one")["series"] == []
    api.track("one")
    assert samples.next()["sequence"] == 1
    assert api.stored("one")[0]["at"] > final["at"]


@both_encodings
def test_tracked_without_samples(meterd, api):
    """tracked is true while a ring is held: latest without a sample, range with an empty series."""
    meterd("--source", "bus", "--interval", FAST)
    api.track("mute", tenant="ten_1", workload_id="wl_1")
    eventually("tracked", lambda: api.latest("mute")["tracked"])
    assert api.latest("mute") == {"instance_id": "mute", "tracked": True}
    assert api.range("mute")["series"] == [("mean", [])]
    entry = api.entries()["mute"]
    assert entry.get("samples", 0) == 0 and "latest" not in entry
    assert (entry["tenant_id"], entry["workload_id"]) == ("ten_1", "wl_1")
    assert abs(entry["tracked_since"] - now_ms()) < 60_000


@both_encodings
def test_failed_reading_is_a_gap(meterd, api, watch, control_plane):
    """A failed reading takes no sequence and is a sentence in the list until a good one comes."""
    running = meterd("--source", "bus", "--interval", FAST)
    samples = watch("one")
    api.track("one")
    samples.take(2)
    control_plane.mode = "error"
    running.wait_stats("readings fail", lambda stats: stats["readings_failed"] >= 2)
    entry = api.entries()["one"]
    assert entry["last_error"]
    assert abs(entry["last_error_at"] - now_ms()) < 60_000
    control_plane.mode = "good"
    held = len(samples.received())
    eventually("samples go on", lambda: len(samples.received()) >= held + 2)
    sequences = [sample["sequence"] for _, sample in samples.received()]
    assert sequences == list(range(1, len(sequences) + 1))
    assert "last_error" not in api.entries()["one"]


def test_first_samples_come_soon(meterd, api, watch, control_plane):
    """Section 3, row 13: the first sample at once, the second after min(1 s, interval)."""
    meterd("--source", "bus", "--interval", "30s")
    samples = watch("one")
    started = now_ms()
    api.track("one")
    first, second = samples.take(2)
    assert first["at"] - started < 1000
    assert 900 <= second["at"] - first["at"] <= 2000
    assert "network_in_bytes_per_sec" not in first
    assert second["network_in_bytes_per_sec"] == 0.0


# --- list ---

@both_encodings
@pytest.mark.parametrize("limit, pages", [(None, 2), (0, 2), (400, 3), (5000, 2)])
def test_list_pages(meterd, api, encoding, limit, pages):
    """list: entries in byte order of id over pages of at most 1000, total, next_page_token."""
    running = meterd("--source", "bus", "--interval", "10s")
    ids = [f"{head}{n}" for head in "aZ_-0" for n in range(220)]
    api.bus.send(b"".join(pub_bytes("instance.created", event(encoding, "created", each))
                          for each in ids))
    running.wait_stats("all tracked", lambda stats: stats["instances"] == len(ids))
    listed, page = [], api.list(limit=limit)
    while True:
        pages -= 1
        listed += [entry["instance_id"] for entry in page["instances"]]
        assert page["total"] == len(ids)
        if "next_page_token" not in page:
            break
        assert page["next_page_token"] == listed[-1]
        page = api.list(page_token=page["next_page_token"], limit=limit)
    assert pages == 0
    assert listed == sorted(ids)


@pytest.mark.parametrize("body", [b'{"limit":"many"}', b'{"page_token":7}', b'{"page_token":"a b"}',
                                  b'{"limit":-1}', b"{", b"\x12\x01\x00", b"\x0a\x01\xff"])
def test_list_request_malformed(recorded, body):
    """400 on metrics.list."""
    answer = recorded.bus.request("metrics.list", body)
    assert (answer.data, answer.headers[ERROR_CODE]) == (b"", "400")


# --- bounds ---

def test_too_many_pending_requests(meterd, bus):
    """429: more requests at once than the bound; every one gets an answer, and they are counted."""
    running = meterd("--max-pending-requests", "4")
    before = running.stats()
    reply, answers = bus.inbox()
    running.stop()
    bus.send(pub_bytes("metrics.list", reply=reply) * 500)
    bus.flush()
    running.cont()
    codes = [answers.next().headers.get(ERROR_CODE, "200") for _ in range(500)]
    assert set(codes) == {"200", "429"}
    after = running.stats()
    assert after["requests_too_many"] - before["requests_too_many"] == codes.count("429")
    assert after["requests"] - before["requests"] == 500


def test_errors_are_counted(recorded):
    """Each error has a counter: requests_malformed, requests_too_large."""
    before = recorded.meterd.stats()
    recorded.bus.request("metrics.range.rec", b"{")
    recorded.bus.request("metrics.range.rec", b'{"resolution":"1ms"}')
    after = recorded.meterd.stats()
    assert after["requests_malformed"] == before["requests_malformed"] + 1
    assert after["requests_too_large"] == before["requests_too_large"] + 1


def test_own_prefix(meterd, bus):
    """Subjects: the prefixes are settings."""
    meterd("--subject-prefix", "fleet.metrics", "--control-prefix", "fleet.control",
           "--lifecycle-subject", "fleet.instance.>", "--source", "bus", "--interval", FAST)
    ControlPlane(bus, prefix="fleet.control")
    samples = Watch(bus, prefix="fleet.metrics")
    Api(bus, prefix="fleet.metrics", lifecycle="fleet.instance").track("one")
    assert samples.next()["sequence"] == 1
    with pytest.raises(NoResponders):
        Api(bus).list()
