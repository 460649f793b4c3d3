"""meterctl: every command in every form, against a real meterd; what it says and how it ends."""

import contextlib
import json
import os
import re
import signal
import subprocess

import pytest

import pb
from messages import (ERROR_CODE, ERROR_TEXT, FIELDS, MIB, from_rfc3339, now_ms, sample_from_json,
                      to_rfc3339)
from meterctl import (NOWHERE, RECORDED, SAMPLE_COLUMNS, STEP, ctl, fails, output_of, recording,
                      rows_of, window)
from natsclient import DEADLINE, pub_bytes
from processes import FAST, FAULTS, METERCTL, clean_environment, eventually

LIST_COLUMNS = ["instance_id", "source", *SAMPLE_COLUMNS, "tracked_since_unix_ms", "samples",
                "tenant_id", "workload_id", "last_error_unix_ms", "last_error"]
AGGREGATES = ["mean", "min", "max", "last"]
COLUMN_OF = dict(zip(FIELDS, SAMPLE_COLUMNS[1:]))


# --- running it ---

@contextlib.contextmanager
def started(server, *args):
    """meterctl under way, with pipes."""
    process = subprocess.Popen([METERCTL, *args], env=clean_environment({"NATS_URL": server.url}),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def end_of(process):
    """Status, what was not read yet, and standard error."""
    stdout, stderr = process.communicate(timeout=DEADLINE)
    assert not any(fault in stderr for fault in FAULTS), stderr
    return process.returncode, stdout, stderr


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    with recording(tmp_path_factory.mktemp("recorded")) as it:
        yield it


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    """The same, with replies of at most 100 points."""
    with recording(tmp_path_factory.mktemp("narrow"), "--max-reply-points", "100") as it:
        yield it


def json_rows(rows):
    return [sample_from_json(row) for row in rows]


def csv_cells(sample):
    """A sample as the cells of a row; doubles and whole bytes exactly."""
    cells = dict.fromkeys(SAMPLE_COLUMNS, "")
    cells["unix_ms"] = sample["at"]
    for field in FIELDS:
        if field in sample:
            whole = field.startswith("memory")
            cells[COLUMN_OF[field]] = int(sample[field]) if whole else sample[field]
    return cells


def assert_csv(row, sample):
    for column, want in csv_cells(sample).items():
        assert row[column] == "" if want == "" else type(want)(row[column]) == want, column


# --- ls ---

def test_ls_empty(nats, meterd):
    meterd()
    assert output_of(nats, "ls").split() == [
        "ID", "SOURCE", "CPU%", "MEM", "LIMIT", "NET-IN", "NET-OUT", "REQ/S", "P95", "AGE", "ERROR"]
    assert output_of(nats, "ls", "-o", "csv") == ",".join(LIST_COLUMNS) + "\n"
    assert json.loads(output_of(nats, "ls", "-o", "json")) == {"instances": [], "total": 0}


def test_ls_forms(recorded):
    entry, = recorded.api.list()["instances"]
    latest = recorded.samples[-1]
    head, line = output_of(recorded.nats, "ls").splitlines()
    cells = line.split(maxsplit=10)
    assert cells[:2] == ["rec", "bus"] and cells[3:5] == ["103.0MiB", "-"]
    assert re.fullmatch(r"\d+[smh]", cells[9])
    assert head.index("ERROR") == len(line) - len(cells[10])  # columns stand below their titles
    row, = rows_of(output_of(recorded.nats, "ls", "--output", "csv"))
    assert list(row) == LIST_COLUMNS
    assert_csv(row, latest)
    assert (row["instance_id"], row["source"], row["tenant_id"], row["workload_id"]) == \
        ("rec", "bus", "acme", "web")
    assert int(row["samples"]) == RECORDED
    assert int(row["tracked_since_unix_ms"]) == entry["tracked_since"]
    said = json.loads(output_of(recorded.nats, "ls", "-o", "json"))
    assert said["total"] == 1 and "node" not in said and "next_page_token" not in said
    assert sample_from_json(said["instances"][0]["latest"]) == latest


def ids_of(text):
    return [entry["instance_id"] for entry in json.loads(text)["instances"]]


def track_many(bus, ids, **target):
    """Without anybody who answers for them: only that they are tracked counts."""
    body = {instance: pb.LifecycleEvent(type="instance.created", instance_id=instance,
                                        target=pb.Target(**target)).SerializeToString()
            for instance in ids}
    bus.send(b"".join(pub_bytes(f"instance.created.{instance}", body[instance])
                      for instance in ids))
    bus.flush()


def test_ls_pages(nats, meterd, bus, api):
    """More than a page holds (1000), in byte order of id."""
    meterd("--source", "bus", "--interval", "1h")
    ids = [f"i{n}" for n in range(2300)] + ["I", "_", "-", "i"]
    track_many(bus, ids)
    eventually("all are tracked", lambda: api.list(limit=1)["total"] == len(ids))
    assert "next_page_token" in api.list()
    text = output_of(nats, "ls", "-o", "json")
    assert ids_of(text) == sorted(ids) and json.loads(text)["total"] == len(ids)
    rows = rows_of(output_of(nats, "ls", "-o", "csv"))
    assert [row["instance_id"] for row in rows] == sorted(ids)
    assert len(output_of(nats, "ls").splitlines()) == len(ids) + 1


def test_ls_two_nodes(nats, meterd, bus, api):
    """All nodes answer; one has far more than the other, and their pages end elsewhere."""
    for node in ("a", "b"):
        meterd("--node", node, "--source", "bus", "--interval", "1h")
    of_a = [f"i{n:04}" for n in range(1500)]
    of_b = [f"i{n:04}x" for n in range(0, 1500, 9)] + [f"j{n:04}" for n in range(1200)]
    track_many(bus, of_a, node="a")
    track_many(bus, of_b, node="b")
    eventually("all are tracked", lambda: sum(
        each["total"] for each in api.gather_lists(2).values()) == len(of_a + of_b))
    text = output_of(nats, "ls", "-o", "json")
    assert ids_of(text) == sorted(of_a + of_b)
    assert json.loads(text)["total"] == len(of_a + of_b) and "node" not in json.loads(text)


def test_ls_one_node(nats, meterd):
    meterd("--node", "a", "--interval", FAST)
    assert json.loads(output_of(nats, "ls", "-o", "json")) == \
        {"instances": [], "total": 0, "node": "a"}


class Pretender:
    """Answers metrics.list with the lists of replies, the nth question with the nth of them."""

    def __init__(self, bus, *replies):
        self.requests = []
        self._replies = iter(replies)
        self._bus = bus
        bus.sub("metrics.list", on_message=self._answer)
        bus.flush()

    def _answer(self, question):
        self.requests.append(pb.ListRequest.FromString(question.data))
        for reply in next(self._replies):
            body = reply if isinstance(reply, bytes) else reply.SerializeToString()
            self._bus.pub(question.reply, body)


def listed(*ids, token=None, node=None, **said):
    return pb.ListReply(instances=[{"instance_id": each, **said} for each in ids],
                        next_page_token=token, node=node, total=len(ids))


def test_ls_merges_pages(nats, bus):
    """Up to the least token every page is complete; what lies beyond is asked for again."""
    asked = Pretender(bus,
                      [listed("a", "c", "e", token="e", node="1"),
                       listed("b", "d", token="d", node="2"), listed("z", node="3")],
                      [listed("e", node="1"), listed("f", node="2"), listed("z", node="3")])
    assert ids_of(output_of(nats, "ls", "-o", "json")) == ["a", "b", "c", "d", "e", "f", "z"]
    assert [request.page_token for request in asked.requests] == ["", "d"]


@pytest.mark.parametrize("pages, pattern", [
    ([[listed("a", token="a", node="1"), listed("b", node="2")], [listed(node="1")]],
     "2 meterds answered at first, and now only 1: some instances would be missing"),
    ([[listed("a", token="a")], [listed("a", token="a")]], "next_page_token 'a' does not go on"),
    ([[b"\xff\xff"]], "an answer on metrics.list makes no sense: .*"),
    ([[listed("a b")]], "an answer on metrics.list makes no sense: .*instance_id.*"),
    ([[]], "no meterd answers on metrics.list at nats://127.0.0.1:[0-9]+ within 300 ms"),
], ids=["a node has gone", "no progress", "garbage", "no id", "silence"])
def test_ls_bad_answers(nats, bus, pages, pattern):
    Pretender(bus, *pages)
    fails(ctl(nats, "ls", "--timeout", "300ms"), 1, pattern)


def test_ls_prints_nothing_that_a_terminal_obeys(nats, bus):
    entry = listed("a", source="\x1b[2J", last_error='it said "no",\n\x9b31m', tenant_id="t\u00e9")
    Pretender(bus, [entry], [entry])
    assert output_of(nats, "ls").splitlines()[1].split() == \
        ["a", "?[2J", *"--------", "it", "said", '"no",???31m']
    row, = rows_of(output_of(nats, "ls", "-o", "csv"))
    assert (row["source"], row["last_error"], row["tenant_id"]) == \
        ("?[2J", 'it said "no",???31m', "t\u00e9")


# --- latest ---

def test_latest_forms(recorded):
    latest = recorded.samples[-1]
    head, line = output_of(recorded.nats, "latest", "rec").splitlines()
    assert head.split() == ["TIME", "CPU%", "MEM", "LIMIT", "NET-IN", "NET-OUT", "REQ/S", "P95"]
    assert line.split()[0] == to_rfc3339(latest["at"])
    assert line.split()[2:4] == ["103.0MiB", "-"]
    row, = rows_of(output_of(recorded.nats, "latest", "rec", "-o", "csv"))
    assert list(row) == SAMPLE_COLUMNS
    assert_csv(row, latest)
    said = json.loads(output_of(recorded.nats, "latest", "rec", "-o", "json"))
    assert sample_from_json(said.pop("sample")) == latest
    assert said == {"instance_id": "rec", "tracked": True}


def test_latest_without_sample(nats, meterd, api):
    meterd("--source", "bus", "--interval", "1h")
    api.track("new")
    eventually("it is tracked", lambda: api.latest("new")["tracked"])
    assert len(output_of(nats, "latest", "new").splitlines()) == 1
    assert output_of(nats, "latest", "new", "-o", "csv") == ",".join(SAMPLE_COLUMNS) + "\n"
    assert json.loads(output_of(nats, "latest", "new", "-o", "json")) == \
        {"instance_id": "new", "tracked": True}


@pytest.mark.parametrize("command", [
    ("latest", "nope"), ("range", "nope"), ("range", "nope", "--raw"),
    ("range", "nope", "--range", "1h", "--resolution", "1ms")], ids=" ".join)
def test_unknown(recorded, command):
    for form in ("table", "csv"):
        fails(ctl(recorded.nats, *command, "-o", form), 1, "nope is not tracked")
    done = ctl(recorded.nats, *command, "-o", "json")
    assert (done.returncode, done.stderr) == (1, "meterctl: nope is not tracked\n")
    said = json.loads(done.stdout)
    assert said["instance_id"] == "nope" and said["tracked"] is False and not said.get("series")


# --- range ---

def test_range_json_is_the_reply(recorded):
    """Byte for byte what meterd itself answers in JSON."""
    since, until = recorded.since, recorded.until
    for args, request in [
            ((), {}),
            (("--resolution", "20s"), {"resolution": "20s"}),
            (("--aggregate", "max,last"), {"aggregates": ["max", "last"]}),
            (("--align", "epoch", "--resolution", "1m"), {"resolution": "1m", "align": "epoch"}),
            (("--raw",), {"raw": True})]:
        answer = recorded.api.bus.request("metrics.range.rec", json.dumps(
            {"since": since, "until": until, **request}).encode())
        assert output_of(recorded.nats, "range", "rec", *window(recorded), *args, "-o", "json") == \
            answer.data.decode() + "\n"


def test_range_raw_csv(recorded):
    """What is stored, exactly; an empty cell is absent."""
    text = output_of(recorded.nats, "range", "rec", *window(recorded), "--raw", "-o", "csv")
    assert text.splitlines()[0] == ",".join(SAMPLE_COLUMNS)
    rows = rows_of(text)
    stored = recorded.api.rows("rec", since=recorded.since, until=recorded.until, raw=True)
    assert len(rows) == len(stored) == RECORDED
    for row, sample in zip(rows, stored):
        assert_csv(row, sample)
    assert {row["requests_per_sec"] for row in rows} == {""}


def test_range_csv(recorded):
    args = "range", "rec", *window(recorded), "--resolution", "15s"
    rows = rows_of(output_of(recorded.nats, *args, "-o", "csv"))
    stored = recorded.api.rows("rec", since=recorded.since, until=recorded.until, resolution=15_000)
    assert list(rows[0]) == [*SAMPLE_COLUMNS, "count"] and len(rows) == len(stored)
    for row, bucket in zip(rows, stored):
        assert_csv(row, bucket)
        assert int(row["count"]) == bucket["count"]


def test_range_csv_of_several_aggregates(recorded):
    args = "range", "rec", *window(recorded), "--resolution", "15s"
    rows = rows_of(output_of(recorded.nats, *args, "--aggregate", "max,min", "--aggregate", "last",
                             "-o", "csv"))
    assert list(rows[0]) == ["unix_ms", "aggregate", *SAMPLE_COLUMNS[1:], "count"]
    assert [row["aggregate"] for row in rows[:4]] == ["max", "min", "last", "max"]
    assert rows[0]["unix_ms"] == rows[2]["unix_ms"] < rows[3]["unix_ms"]
    for name in ("max", "min", "last"):
        alone = rows_of(output_of(recorded.nats, *args, "--aggregate", name, "-o", "csv"))
        assert [row for row in rows if row["aggregate"] == name] == \
            [{**row, "aggregate": name} for row in alone]


def test_range_table(recorded):
    args = "range", "rec", *window(recorded), "--resolution", "100s"
    head, *lines = output_of(recorded.nats, *args).splitlines()
    metrics = ["CPU%", "MEM", "LIMIT", "NET-IN", "NET-OUT", "REQ/S", "P95"]
    assert head.split() == ["TIME", *metrics, "COUNT"]
    assert [line.split()[0] for line in lines] == \
        [to_rfc3339(recorded.since), to_rfc3339(recorded.since + 100_000)]
    assert all(line.split()[3] == "512.0MiB" and line.split()[-1] == "20" for line in lines)
    assert len({len(line) for line in [head, *lines]}) == 1
    head, *lines = output_of(recorded.nats, *args, "--aggregate", "max,min").splitlines()
    assert head.split() == ["TIME", "AGGREGATE", *metrics, "COUNT"]
    assert [line.split()[1] for line in lines] == ["max", "min"] * 2
    head, *lines = output_of(recorded.nats, *args, "--raw").splitlines()
    assert head.split() == ["TIME", *metrics] and len(lines) == RECORDED


def test_range_times(recorded):
    """Every form of a time and a duration means the same."""
    since, until = to_rfc3339(recorded.since), to_rfc3339(recorded.until).replace("Z", "+00:00")
    want = output_of(recorded.nats, "range", "rec", *window(recorded), "--resolution", "10000ms",
                     "-o", "csv")
    seconds = RECORDED * STEP // 1000
    for args in [("--since", since, "--until", until, "--resolution", "10s"),
                 ("--range", f"{seconds}s", "--until", until, "--resolution=10"),
                 ("--range", seconds, "--until", recorded.until, "--resolution", "10.0s")]:
        assert output_of(recorded.nats, "range", "rec", *args, "-o", "csv") == want
    defaults = json.loads(output_of(recorded.nats, "range", "rec", "-o", "json"))
    assert from_rfc3339(defaults["until"]) - from_rfc3339(defaults["since"]) == 3_600_000
    assert abs(from_rfc3339(defaults["until"]) - now_ms()) < 10_000
    assert defaults["resolution_ms"] == 30_000


def reply_of(it, *args):
    return json.loads(output_of(it.nats, "range", "rec", *args, "-o", "json"))


def test_range_split_equals_unsplit(recorded):
    """Four aggregates are too many points for one reply, each of them alone is not."""
    args = *window(recorded), "--resolution", "21ms"
    split = reply_of(recorded, *args, "--aggregate", ",".join(AGGREGATES))
    for name in AGGREGATES:
        alone = reply_of(recorded, *args, "--aggregate", name)
        assert alone.pop("series") == split["series"][name]
        assert alone == {key: value for key, value in split.items() if key != "series"}
    assert len(split["series"]["mean"]) == RECORDED


@pytest.mark.parametrize("align", ["since", "epoch"])
def test_range_pieces_are_halved(narrow, align):
    """A meterd that answers with less than usual: pieces become smaller until they fit."""
    args = *window(narrow), "--resolution", "2100ms", "--align", align
    split = reply_of(narrow, *args, "--aggregate", ",".join(AGGREGATES))
    for name in AGGREGATES:
        alone = narrow.api.range("rec", since=narrow.since, until=narrow.until, resolution=2100,
                                 align=align, aggregates=[name])
        assert json_rows(split["series"][name]) == alone["series"][0][1]
        assert (from_rfc3339(split["since"]), from_rfc3339(split["until"])) == \
            (alone["since"], alone["until"])
    assert split["resolution_ms"] == 2100


def test_range_split_of_defaults(narrow):
    """120 buckets are too many here: the defaults are still what this meterd makes of them."""
    split = reply_of(narrow)
    assert from_rfc3339(split["until"]) - from_rfc3339(split["since"]) == 3_600_000
    assert split["resolution_ms"] == 30_000
    assert sum(row["count"] for row in split["series"]) == RECORDED
    split = reply_of(narrow, "--range", "11s", "--until", narrow.until)
    assert split["resolution_ms"] == 100  # the poll interval
    assert sum(row["count"] for row in split["series"]) == 2


def test_range_split_before_1970(narrow):
    """Where a range begins before 1970 no piece can say so; nothing was stored then."""
    split = reply_of(narrow, "--range", "36000d", "--resolution", "100d")
    assert from_rfc3339(split["until"]) - from_rfc3339(split["since"]) == 36_000 * 86_400_000
    assert sum(row["count"] for row in split["series"]) == RECORDED


def test_range_raw_pages(tmp_path):
    with recording(tmp_path, "--max-reply-points", "8") as it:
        first = it.api.range("rec", since=it.since, until=it.until, raw=True)
        assert "next_since" in first and len(first["series"][0][1]) == 8
        said = reply_of(it, *window(it), "--raw")
        assert "next_since" not in said and "resolution_ms" not in said
        assert [row["at"] for row in said["series"]] == [to_rfc3339(s["at"]) for s in it.samples]
        assert [row["count"] for row in said["series"]] == [1] * RECORDED


def test_range_split_by_bytes(tmp_path):
    """A reply that is too long for NATS, although it has few points, is asked for in pieces too."""
    with recording(tmp_path, config="max_payload: 7000\n") as it:
        args = *window(it), "--resolution", "1s"
        split = reply_of(it, *args, "--aggregate", "mean,max")
        assert len(split["series"]["mean"]) == RECORDED
        for name in ("mean", "max"):
            assert split["series"][name] == reply_of(it, *args, "--aggregate", name)["series"]


def test_range_is_bounded(recorded):
    fails(ctl(recorded.nats, "range", "rec", "--range", "7d", "--resolution", "1ms"), 1,
          "604,800,000 points are more than 10,000,000: "
          "the finest resolution for this window is 61 ms")


@pytest.mark.parametrize("args, pattern", [
    (("--since", "2", "--until", "1"), "since is after until: .*"),
    (("--since", "1", "--range", "1h"), "since and range are both given: .*"),
    (("--since", "-1"), "since is negative: .*"),
    (("--resolution", "36900d"), "resolution is over 100 years: .*"),
    (("--until", "253402300800000"), "until is after the year 9999: .*"),
], ids=lambda value: value if isinstance(value, str) else " ".join(value))
def test_range_refused(recorded, args, pattern):
    """What meterd refuses is told in its own words."""
    fails(ctl(recorded.nats, "range", "rec", *args), 1, pattern)


# --- watch ---

def test_watch_count(nats, meterd, api):
    meterd("--interval", FAST)
    api.track("me", pid=os.getpid())
    head, *lines = output_of(nats, "watch", "-n", "3").splitlines()
    assert head.split() == \
        ["TIME", "ID", "CPU%", "MEM", "LIMIT", "NET-IN", "NET-OUT", "REQ/S", "P95"]
    assert len(lines) == 3 and all(line.split()[1] == "me" for line in lines)
    assert len({len(line) for line in [head, *lines]}) == 1
    text = output_of(nats, "watch", "me", "--count=2", "-o", "csv")
    assert text.splitlines()[0] == ",".join(SAMPLE_COLUMNS)
    assert all(float(row["cpu_percent"]) >= 0 and int(row["memory_used_bytes"]) > MIB
               for row in rows_of(text)) and len(rows_of(text)) == 2


def test_watch_until_the_final_sample(nats, meterd, api, watch):
    """Each form shows what was published, and ends by itself, with an ID, after the last sample."""
    meterd("--interval", FAST)
    published = watch("me")
    with contextlib.ExitStack() as stack:
        programs = {form: stack.enter_context(started(nats, "watch", *args, "-o", form))
                    for form, args in (("json", ("me",)), ("csv", ("me",)), ("table", ()))}
        heads = [programs["csv"].stdout.readline(), programs["table"].stdout.readline()]
        # JSON has no header: that it watches is known when it prints.
        api.track("me", pid=os.getpid())
        first = json.loads(programs["json"].stdout.readline())
        api.untrack("me")
        status, rest, errors = end_of(programs["json"])
        assert (status, errors) == (0, "")
        lines = [first, *map(json.loads, rest.splitlines())]
        samples = [published.next()]
        while not samples[-1].get("final"):
            samples.append(published.next())
        assert all(line["instance_id"] == "me" for line in lines)
        assert [sample_from_json(line) for line in lines] == samples[-len(lines):]
        assert lines[-1]["final"] is True and not any("final" in line for line in lines[:-1])
        status, rest, errors = end_of(programs["csv"])
        assert (status, errors) == (0, "")
        rows = rows_of(heads[0] + rest)
        assert len(rows) == len(samples)
        for row, sample in zip(rows, samples):
            assert_csv(row, sample)
        # Of all instances there is no last sample.
        assert programs["table"].poll() is None
        programs["table"].send_signal(signal.SIGINT)
        status, rest, errors = end_of(programs["table"])
        assert (status, errors) == (0, "") and len(rest.splitlines()) == len(samples)
        assert rest.splitlines()[-1].split()[1:3] == ["me", "untracked"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_watch_signal(nats, meterd, number):
    meterd()
    with started(nats, "watch", "-o", "csv") as process:
        process.stdout.readline()
        process.send_signal(number)
        assert end_of(process) == (0, "", "")


def test_watch_closed_pipe(nats, meterd, api):
    """watch | head -1: it ends when nobody reads, not only with the next sample."""
    meterd("--interval", "1h")
    api.track("me", pid=os.getpid())
    for form in ("csv", "table", "json"):
        with started(nats, "watch", "-o", form) as process:
            if form != "json":
                process.stdout.readline()
            process.stdout.close()
            assert process.wait(DEADLINE) == 0
            assert process.stderr.read() == ""


def test_watch_reconnects(nats, meterd, api):
    meterd("--interval", FAST)
    api.track("me", pid=os.getpid())
    with started(nats, "watch", "me", "-o", "json") as process:
        before = json.loads(process.stdout.readline())
        nats.kill()
        assert process.stderr.readline() == \
            f"meterctl: lost the connection to {nats.url}, waiting for it to come back\n"
        nats.start()
        assert process.stderr.readline() == f"meterctl: connected to {nats.url} again\n"
        after = before
        while after["sequence"] <= before["sequence"] + 5:
            after = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        assert end_of(process)[0] == 0


def test_watch_passes_over_garbage(nats, bus):
    with started(nats, "watch", "x", "-n", "1", "-o", "csv") as process:
        process.stdout.readline()
        bus.pub("metrics.instance.x", b"\xff")
        bus.pub("metrics.instance.x", pb.Sample(instance_id="x", at_unix_ms=5).SerializeToString())
        status, rest, errors = end_of(process)
        assert (status, rest) == (0, "5,,,,,,,\n")
        assert re.fullmatch("meterctl: not a sample on metrics.instance.x, passed over: .*\n",
                            errors)


# --- track and untrack ---

def test_track_event(nats, bus):
    """All that can be said, on the subject that names type and id."""
    events = bus.sub("instance.>")
    bus.flush()
    before = now_ms()
    assert output_of(
        nats, "track", "web-1", "--pid", 4711, "--cgroup", "/a/b", "--container-id", "c1",
        "--container-name", "cp-web", "--node", "n1", "--metrics-url",
        "http://127.0.0.1:9100/metrics", "--workload", "w\u00e9b", "--tenant", "acme",
        "--request-counter", "my.requests", "--latency-histogram", "my_seconds",
        "--latency-quantile", "0.99") == ""
    message = events.next()
    event = pb.LifecycleEvent.FromString(message.data)
    assert message.subject == "instance.created.web-1"
    assert (event.type, event.instance_id, event.tenant_id) == ("instance.created", "web-1", "acme")
    assert before <= event.timestamp_unix_ms <= now_ms()
    assert event.id and event.actor_id == "meterctl"
    assert event.target == pb.Target(
        node="n1", cgroup_path="/a/b", pid=4711, container_id="c1", container_name="cp-web",
        metrics_url="http://127.0.0.1:9100/metrics", workload_id="w\u00e9b",
        request_counter="my.requests", latency_histogram="my_seconds", latency_quantile=0.99)
    assert output_of(nats, "track", "web-1") == output_of(nats, "untrack", "web-1") == ""
    bare, deleted = (events.next() for _ in range(2))
    assert pb.LifecycleEvent.FromString(bare.data).id != event.id
    assert deleted.subject == "instance.deleted.web-1"
    assert pb.LifecycleEvent.FromString(deleted.data).type == "instance.deleted"


def test_track_and_untrack(nats, meterd, api, watch):
    meterd("--interval", FAST)
    samples = watch("me")
    assert output_of(nats, "track", "me", "--pid", os.getpid()) == ""
    assert samples.next()["memory_used_bytes"] > MIB
    assert output_of(nats, "untrack", "me") == ""
    samples.wait_for(lambda sample: sample.get("final"))
    assert not api.latest("me")["tracked"]


# --- what is wrong ---

@pytest.mark.parametrize("args, pattern", [
    ((), r"no command \(--help lists them\)"),
    (("top",), r"top: no such command \(--help lists them\)"),
    (("latest",), "latest: the ID of an instance is missing"),
    (("latest", "a", "b"), "latest: 'b' is one argument too many"),
    (("ls", "a"), "ls: 'a' is one argument too many"),
    (("latest", "a b"), "ID: 'a b' is not what it may be: 1 to 128 characters of A-Z a-z 0-9 _ -"),
    (("latest", "a.b"), "ID: 'a.b' is not .*"),
    (("latest", ""), "ID: '' is not .*"),
    (("watch", "*"), r"ID: '\*' is not .*"),
    (("latest", "a" * 129), "ID: 'a{100}' is not .*"),
    (("ls", "--bogus"), "--bogus: no such option .*"),
    (("ls", "--since", "1"), "--since: no such option .*"),
    (("--since", "1", "range", "a"), "--since: no such option .*"),
    (("range", "a", "-x"), "-x: no such option .*"),
    (("range", "a", "--raw=1"), "--raw=1: takes no value .*"),
    (("range", "a", "--since"), "--since: needs a value .*"),
    (("ls", "-o", "xml"), "--output: 'xml' is not what it may be: table, json, csv"),
    (("range", "a", "--since", "yesterday"),
     "--since: 'yesterday' is not what it may be: an RFC 3339 time or Unix milliseconds"),
    (("range", "a", "--until", ""), "--until: '' is not .*"),
    (("range", "a", "--range", "1w"), "--range: '1w' is not what it may be: a number with .*"),
    (("range", "a", "--resolution", "0.5ms"), "--resolution: '0.5ms' is not .*"),
    (("range", "a", "--aggregate", "p99"),
     "--aggregate: 'p99' is not what it may be: mean, min, max, last, separated by commas"),
    (("range", "a", "--aggregate", "mean,"), "--aggregate: 'mean,' is not .*"),
    (("range", "a", "--aggregate", "max", "--aggregate", "min,max"),
     "--aggregate: 'min,max' is not what it may be: each of them once"),
    (("range", "a", "--align", "left"), "--align: 'left' is not what it may be: since, epoch"),
    (("watch", "-n", "0"), "--count: '0' is not what it may be: a whole number above 0"),
    (("watch", "-n", "2x"), "--count: '2x' is not .*"),
    (("track", "a", "--pid", "-1"), "--pid: '-1' is not what it may be: 1 to 2147483647"),
    (("track", "a", "--pid", "9999999999"), "--pid: '9999999999' is not .*"),
    (("track", "a", "--cgroup", "a/b"), "--cgroup: 'a/b' is not what it may be: an absolute path"),
    (("track", "a", "--node", "n.1"), "--node: 'n.1' is not .*"),
    (("track", "a", "--metrics-url", "ftp://b/"),
     "--metrics-url: 'ftp://b/' is not what it may be: an http:// or https:// URL; the URL must .*"),
    (("track", "a", "--metrics-url", "http://me:a,b@c/?d"),
     r"--metrics-url: 'http://\*@c/' is not .*; the URL must not have a user or a password in it"),
    (("track", "a", "--request-counter", "r{code=200}"),
     r"--request-counter: 'r{code=200}' is not what it may be: a metric's name alone: .*"),
    (("track", "a", "--latency-histogram", ""), "--latency-histogram: '' is not .*"),
    (("track", "a", "--latency-quantile", "95"),
     "--latency-quantile: '95' is not what it may be: a decimal above 0 and below 1, such as 0.95"),
    (("track", "a", "--tenant", ""), "--tenant: '' is not what it may be: up to 4095 bytes of .*"),
    (("track", "a", "--workload", "x" * 4096), "--workload: 'x{100}' is not .*"),
    (("untrack", "a", "--pid", "1"), "--pid: no such option .*"),
    (("ls", "--timeout", "0"), "--timeout: '0' is not what it may be: 10ms to 1h"),
    (("ls", "--subject-prefix", "instance"), "--lifecycle-subject: 'instance.>' is not .*"),
], ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "")
def test_usage_errors(args, pattern):
    """Found before anybody is asked: there is no server."""
    fails(ctl(NOWHERE, *args), 2, pattern)


def test_bytes_that_are_no_text():
    done = subprocess.run([METERCTL, "track", "a", "--tenant", b"\xff"], capture_output=True,
                          env=clean_environment(), timeout=DEADLINE, check=False)
    assert done.returncode == 2
    assert re.fullmatch(b"meterctl: meterd would not understand it: tenant_id .*\n", done.stderr)


def test_server_down():
    for args in (("ls",), ("latest", "a"), ("range", "a"), ("watch",), ("track", "a")):
        fails(ctl(NOWHERE, *args), 1, "no NATS server answers at nats://127.0.0.1:1")
    fails(ctl(NOWHERE, "ls", "-s", "nats://user:secret@127.0.0.1:1,tok@127.0.0.1:2"), 1,
          r"no NATS server answers at nats://\*@127.0.0.1:1,\*@127.0.0.1:2")


def test_no_meterd(nats):
    hint = ": none runs, or with --node none knows this id"
    fails(ctl(nats, "ls"), 1, f"no meterd answers on metrics.list at {nats.url}")
    fails(ctl(nats, "latest", "a"), 1, f"no meterd answers on metrics.latest.a at {nats.url}{hint}")
    fails(ctl(nats, "range", "a", "--subject-prefix", "x.y"), 1,
          f"no meterd answers on x.y.range.a at {nats.url}{hint}")


def test_unknown_to_every_node(nats, meterd):
    meterd("--node", "a")
    fails(ctl(nats, "latest", "nope"), 1, "no meterd answers on metrics.latest.nope .*")


def test_timeout(nats, meterd):
    meterd().stop()
    fails(ctl(nats, "latest", "a", "--timeout", "200ms"), 1,
          f"no meterd answers on metrics.latest.a at {nats.url} within 200 ms")
    fails(ctl(nats, "ls", env={"METERCTL_TIMEOUT": "0.2s"}), 1,
          f"no meterd answers on metrics.list at {nats.url} within 200 ms")


def test_refusals(nats, bus):
    """Errors come as headers; what is in them is printed without what a terminal obeys."""
    def refuse(question):
        bus.pub(question.reply, headers={ERROR_CODE: "503", ERROR_TEXT: "not yet \x1b[31mready"})

    for subject in ("metrics.list", "metrics.latest.*", "metrics.range.*"):
        bus.sub(subject, on_message=refuse)
    bus.flush()
    for args in (("ls",), ("latest", "a"), ("range", "a"), ("range", "a", "--raw")):
        fails(ctl(nats, *args), 1, r"not yet \?\[31mready")


def test_answers_that_make_no_sense(nats, bus):
    for subject in ("metrics.latest.*", "metrics.range.*"):
        bus.sub(subject, on_message=lambda question: bus.pub(question.reply, b"\xff"))
    bus.flush()
    fails(ctl(nats, "latest", "a"), 1, "the answer on metrics.latest.a makes no sense: .*")
    fails(ctl(nats, "range", "a"), 1, "the answer on metrics.range.a makes no sense: .*")


def test_not_permitted(nats_server):
    """The server refuses in passing: that is told, not silence."""
    server = nats_server('authorization { users = [ { user: a, password: b, permissions: {\n'
                         '  publish: { deny: ["instance.>", "metrics.>"] },\n'
                         '  subscribe: { deny: "metrics.instance.*" } } } ] }\n')
    url = server.url.replace("//", "//a:b@")
    for args in (("track", "x"), ("ls", "--timeout", "300ms"),
                 ("latest", "x", "--timeout", "300ms"), ("watch", "x")):
        done = ctl(server, *args, env={"NATS_URL": url})
        assert done.returncode == 1 and "ermission" in done.stderr, done
        assert len(done.stderr.splitlines()) == 1 and "a:b" not in done.stderr
    done = ctl(server, "ls", env={"NATS_URL": url.replace("a:b", "a:wrong")})
    assert done.returncode == 1 and re.search("Auth.* Violation", done.stderr), done


def test_full_device(recorded):
    for args in (("ls",), ("range", "rec", "--raw", "-o", "csv")):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([METERCTL, *args], stdout=full, stderr=subprocess.PIPE, text=True,
                                  env=clean_environment({"NATS_URL": recorded.nats.url}),
                                  timeout=DEADLINE, check=False)
        assert done.returncode == 1
        assert re.fullmatch("meterctl: cannot write the output: No space .*\n", done.stderr)


# --- settings and help ---

def test_settings_before_and_after_the_command(nats, meterd, bus):
    url, wrong = nats.url, NOWHERE.url
    meterd("--subject-prefix", "acme", "--lifecycle-subject", "life.>", "--interval", FAST)
    options = ("--server", url, "--subject-prefix", "acme", "--timeout", "3s")
    for args in ((*options, "ls", "-o", "json"), ("ls", "-o", "json", *options),
                 ("-o", "json", *options[:2], "ls", *options[2:]),
                 ("--output=json", "ls", *options)):
        assert json.loads(output_of(NOWHERE, *args)) == {"instances": [], "total": 0}
    # The later one counts, and a flag wins over the environment.
    assert output_of(nats, "-s", wrong, "ls", "-s", url, "--subject-prefix", "acme",
                     env={"METERD_SUBJECT_PREFIX": "other"})
    events = bus.sub("life.>")
    bus.flush()
    output_of(nats, "track", "x", env={"METERD_LIFECYCLE_SUBJECT": "life.>"})
    assert events.next().subject == "life.created.x"


def test_operands_and_options_in_any_order(recorded):
    want = output_of(recorded.nats, "range", "rec", *window(recorded), "--raw", "-o", "csv")
    args = "--raw", *window(recorded)
    assert output_of(recorded.nats, "range", *args, "-ocsv", "rec") == want
    assert output_of(recorded.nats, "range", *args, "-o", "csv", "--", "rec") == want
    fails(ctl(recorded.nats, "latest", "--", "-x"), 1, "-x is not tracked")


def test_help_and_version():
    """Also where the environment is wrong, which elsewhere is told."""
    wrong = {"METERCTL_TIMEOUT": "never"}
    text = output_of(NOWHERE, "--help", env=wrong)
    commands = ["ls", "latest", "range", "replay", "watch", "track", "untrack"]
    assert "--timeout" in text and "NATS_URL" in text
    for command in commands:
        assert re.search(rf"^  {command}\b", text, re.MULTILINE)
        own = output_of(NOWHERE, command, "-h", "--bogus", env=wrong)
        first = own.split("\n\n")[1]
        assert own.startswith(f"usage: meterctl {command}") and f"  meterctl {command}" in first
        assert "meterctl --help" in own
        fails(ctl(NOWHERE, command, *["x"] * (command != "ls"), env=wrong), 2,
              "METERCTL_TIMEOUT: 'never' is not what it may be: 10ms to 1h")
    assert ",".join(SAMPLE_COLUMNS) in output_of(NOWHERE, "range", "--help").replace("\n  ", "")
    assert re.fullmatch(r"meterctl \d+\.\d+\.\d+\n", output_of(NOWHERE, "--version", env=wrong))
    assert output_of(NOWHERE, "ls", "-V") == output_of(NOWHERE, "-V")
