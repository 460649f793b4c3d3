"""What is said to meterd and what it answers, in both encodings, as plain dicts.

A sample here is a dict of "sequence", "at" (Unix ms), the FIELDS that were read, and "final" when
set; in a range reply it has "count" instead of "sequence". Absent stays absent: a key is missing.
"""

import json
import math
import time
from datetime import datetime, timezone

import pytest

import pb
from natsclient import DEADLINE

FIELDS = ("cpu_percent", "memory_used_bytes", "memory_limit_bytes", "network_in_bytes_per_sec",
          "network_out_bytes_per_sec", "requests_per_sec", "latency_p95_ms")
MIB = 1 << 20
MINUTE = 60_000  # ms
HOUR = 60 * MINUTE
JSON_TYPE = "application/json"
PROTOBUF_TYPE = "application/x-protobuf"
both_encodings = pytest.mark.parametrize("encoding", ["protobuf", "json"])

ERROR_CODE = "Nats-Service-Error-Code"
ERROR_TEXT = "Nats-Service-Error"


class ServiceError(Exception):
    """An answer with the error headers; an answer has them only when its body is empty."""

    def __init__(self, message):
        self.code = int(message.headers[ERROR_CODE])
        self.text = message.headers[ERROR_TEXT]
        super().__init__(f"{self.code} {self.text}")
        assert message.data == b"", f"error {self} came with a body"


class NoResponders(Exception):
    """NATS itself answered: nobody listens."""


def checked(message):
    """message, unless it is an error."""
    if message.status == 503 and not message.data:
        raise NoResponders(message.subject)
    if ERROR_CODE in message.headers:
        raise ServiceError(message)
    return message


# --- times ---

def now_ms():
    return int(time.time() * 1000)


def to_rfc3339(unix_ms):
    at = datetime.fromtimestamp(unix_ms // 1000, timezone.utc)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{unix_ms % 1000:03d}Z"


def from_rfc3339(text):
    """Unix ms; meterd prints UTC with exactly three decimals."""
    at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    assert to_rfc3339(round(at.timestamp() * 1000)) == text, f"time printed as {text}"
    return round(at.timestamp() * 1000)


# --- events ---

def event(encoding, kind, instance, *, at=None, tenant=None, event_id="evt_1", actor="usr_1",
          **target):
    """An event's body: kind is "created", ...; at is Unix ms; target as in the message Target."""
    if encoding == "json":
        envelope = {"id": event_id, "type": f"instance.{kind}", "tenant_id": tenant,
                    "instance_id": instance, "actor_id": actor, "payload": target,
                    "timestamp": to_rfc3339(at) if at is not None else None}
        return json.dumps({k: v for k, v in envelope.items() if v is not None}).encode()
    message = pb.LifecycleEvent(id=event_id, type=f"instance.{kind}", instance_id=instance,
                                tenant_id=tenant, actor_id=actor, timestamp_unix_ms=at)
    if target:
        message.target.CopyFrom(pb.Target(**target))
    return message.SerializeToString()


# --- samples ---

def sample_from_protobuf(message):
    renamed = {"at_unix_ms": "at"}
    return {renamed.get(field.name, field.name): value for field, value in message.ListFields()
            if field.name != "instance_id"}


def sample_from_json(obj):
    sample = dict(obj, at=from_rfc3339(obj["at"]))
    for whole in ("memory_used", "memory_limit"):
        assert (f"{whole}_mb" in sample) == (f"{whole}_bytes" in sample)
        if f"{whole}_mb" in sample:
            assert sample.pop(f"{whole}_mb") == int(sample[f"{whole}_bytes"] // MIB)
    sample.pop("instance_id", None)
    return sample


class Watch:
    """The samples published for one instance, or for all, as (instance id, sample)."""

    def __init__(self, bus, instance="*", prefix="metrics"):
        self._subscription = bus.sub(f"{prefix}.instance.{instance}")
        bus.flush()

    def next(self, timeout=DEADLINE):
        return published(self._subscription.next(timeout))[1]

    def take(self, n, timeout=DEADLINE):
        return [self.next(timeout) for _ in range(n)]

    def wait_for(self, predicate, timeout=DEADLINE):
        """The next sample that satisfies predicate."""
        return published(self._subscription.wait_for(
            lambda message: predicate(published(message)[1]), timeout))[1]

    def received(self):
        """All (instance id, sample) so far."""
        return [published(message) for message in self._subscription.received()]


def published(message):
    sample = pb.Sample.FromString(message.data)
    assert message.subject.rpartition(".")[2] == sample.instance_id
    return sample.instance_id, sample_from_protobuf(sample)


# --- requests and replies ---

class Api:
    """Asks one meterd, or all behind one prefix, in one encoding."""

    def __init__(self, bus, encoding="protobuf", prefix="metrics", lifecycle="instance"):
        self.bus = bus
        self.encoding = encoding
        self.prefix = prefix
        self.lifecycle = lifecycle

    def event(self, kind, instance, **said):
        """Publishes a lifecycle event the way meterctl does; the arguments are those of event()."""
        self.bus.pub(f"{self.lifecycle}.{kind}.{instance}",
                     event(self.encoding, kind, instance, **said))

    def track(self, instance, **said):
        self.event("created", instance, **said)

    def untrack(self, instance, **said):
        self.event("deleted", instance, **said)

    def range(self, instance, **query):
        """query: since, until, range, resolution in ms; aggregates as names; align; raw."""
        body = range_request(self.encoding, **query)
        answer = self._ask(f"range.{instance}", body)
        if self.encoding == "json":
            return range_from_json(json.loads(answer.data), query.get("aggregates", ["mean"]))
        return range_from_protobuf(pb.RangeReply.FromString(answer.data))

    def rows(self, instance, **query):
        """The rows of a range reply with a single series; [] when the id is unknown."""
        series = self.range(instance, **query)["series"]
        return series[0][1] if series else []

    def stored(self, instance):
        """All that is held of it, up to the very sample that came last."""
        return self.rows(instance, since=1, until=now_ms() + HOUR, raw=True)

    def latest(self, instance):
        """{"instance_id", "tracked"} and "sample" when there is one."""
        answer = self._ask(f"latest.{instance}")
        if self.encoding == "json":
            reply = json.loads(answer.data)
            if "sample" in reply:
                reply["sample"] = sample_from_json(reply["sample"])
            return reply
        message = pb.LatestReply.FromString(answer.data)
        reply = {"instance_id": message.instance_id, "tracked": message.tracked}
        if message.HasField("sample"):
            reply["sample"] = sample_from_protobuf(message.sample)
        return reply

    def list(self, page_token=None, limit=None):
        """{"instances", "total"} with "next_page_token" and "node" when present."""
        return self._list_from(self._ask("list", self._list_request(page_token, limit)))

    def entries(self):
        """Entries of the first page by instance id."""
        return {entry["instance_id"]: entry for entry in self.list()["instances"]}

    def gather_lists(self, nodes, timeout=DEADLINE):
        """One list from each of so many meterds, by node."""
        reply, answers = self.bus.inbox()
        self.bus.pub(f"{self.prefix}.list", b"", reply, self._headers())
        try:
            lists = [self._list_from(checked(answers.next(timeout))) for _ in range(nodes)]
        finally:
            answers.unsub()
        return {each["node"]: each for each in lists}

    def _headers(self):
        return {"Accept": JSON_TYPE} if self.encoding == "json" else None

    def _ask(self, subject, body=b""):
        answer = checked(self.bus.request(f"{self.prefix}.{subject}", body, self._headers()))
        expected = JSON_TYPE if self.encoding == "json" else PROTOBUF_TYPE
        assert answer.headers["Content-Type"] == expected
        return answer

    def _list_request(self, page_token, limit):
        said = {"page_token": page_token, "limit": limit}
        said = {key: value for key, value in said.items() if value is not None}
        if self.encoding == "json":
            return json.dumps(said).encode()
        return pb.ListRequest(**said).SerializeToString()

    def _list_from(self, answer):
        if self.encoding == "json":
            return list_from_json(json.loads(answer.data))
        return list_from_protobuf(pb.ListReply.FromString(answer.data))


def range_request(encoding, *, since=None, until=None, range=None, resolution=None, aggregates=(),
                  align=None, raw=None):
    """A range request's body; times and durations in ms."""
    if encoding == "json":
        said = {"since": since, "until": until, "align": align, "raw": raw,
                "range": f"{range}ms" if range is not None else None,
                "resolution": f"{resolution}ms" if resolution is not None else None,
                "aggregates": list(aggregates) or None}
        return json.dumps({k: v for k, v in said.items() if v is not None}).encode()
    return pb.RangeRequest(
        since_unix_ms=since, until_unix_ms=until, range_ms=range, resolution_ms=resolution, raw=raw,
        align=None if align is None else pb.Align.Value(align.upper()),
        aggregates=[pb.Aggregate.Value(name.upper()) for name in aggregates]).SerializeToString()


def range_from_protobuf(message):
    reply = {"instance_id": message.instance_id, "tracked": message.tracked,
             "since": message.since_unix_ms, "until": message.until_unix_ms,
             "resolution": message.resolution_ms,
             "series": [(pb.Aggregate.Name(each.aggregate).lower(), rows_from_columns(each))
                        for each in message.series]}
    if message.HasField("next_since_unix_ms"):
        reply["next_since"] = message.next_since_unix_ms
    return reply


def rows_from_columns(series):
    columns = {"at": series.at_unix_ms, "count": series.count}
    columns.update((field, getattr(series, field)) for field in FIELDS if getattr(series, field))
    assert {len(column) for column in columns.values()} == {len(series.at_unix_ms)}
    return [{name: value for name, value in zip(columns, row) if not math.isnan(value)}
            for row in zip(*columns.values())]


def range_from_json(obj, aggregates):
    series = obj["series"]
    if isinstance(series, list):  # a single aggregate, or none for an unknown id
        series = dict(zip(aggregates, [series])) if obj["tracked"] else {}
    reply = {"instance_id": obj["instance_id"], "tracked": obj["tracked"],
             "since": from_rfc3339(obj["since"]), "until": from_rfc3339(obj["until"]),
             "resolution": obj.get("resolution_ms", 0),
             "series": [(name, [sample_from_json(row) for row in rows])
                        for name, rows in series.items()]}
    if "next_since" in obj:
        reply["next_since"] = from_rfc3339(obj["next_since"])
    return reply


def list_from_protobuf(message):
    reply = {"instances": [], "total": message.total}
    renamed = {"tracked_since_unix_ms": "tracked_since", "last_error_unix_ms": "last_error_at"}
    for entry in message.instances:
        said = {renamed.get(field.name, field.name): value for field, value in entry.ListFields()}
        if entry.HasField("latest"):
            said["latest"] = sample_from_protobuf(entry.latest)
        reply["instances"].append(said)
    for optional in ("next_page_token", "node"):
        if message.HasField(optional):
            reply[optional] = getattr(message, optional)
    return reply


def list_from_json(obj):
    for entry in obj["instances"]:
        for stamp in {"tracked_since", "last_error_at"} & entry.keys():
            entry[stamp] = from_rfc3339(entry[stamp])
        if "latest" in entry:
            entry["latest"] = sample_from_json(entry["latest"])
    return obj
