"""meterctl replay: a recorded trace answers as the meterd did that it was recorded from."""

import json
import random
import re
import subprocess

import pytest

from messages import FIELDS, from_rfc3339, sample_from_json, to_rfc3339
from meterctl import (NOWHERE, SAMPLE_COLUMNS, ctl, fails, output_of, recording, rows_of, window)
from model import assert_rows, expected_raw, expected_rows
from natsclient import DEADLINE
from processes import METERCTL, clean_environment

HEADER = ",".join(SAMPLE_COLUMNS)
START = 1_790_000_003_777
INTERVAL = 10_000
CAPACITY = 60_480
PACKED = 2048  # samples that a store may forget at once: so many it may hold too many
REPORT_KEYS = ["samples", "capacity", "bytes_per_sample", "bytes_per_instance",
               "instances_per_gib"]
# Times that go back and are equal, and in each column a reading that is absent.
SMALL = f"""{HEADER}
1790000010000,1.5,1048576,2097152,10.25,0,3,250
1790000030000,2.5,1049600,,,,,
1790000020000,,,2097152,1e3,5.,.5,0.125
1790000030000,3.5,1048576,2097152,0,0,,
"""


def trace_of(samples):
    lines = [HEADER]
    for sample in samples:
        cells = [str(sample.get(field, "")) for field in ("at", *FIELDS)]
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


def random_samples(n, seed=1):
    """With gaps, absent readings, zeros, and a clock that is set back now and then."""
    rng = random.Random(seed)
    at = START
    samples = []
    for _ in range(n):
        at += rng.choice([INTERVAL] * 8 + [rng.randrange(9_700, 10_300), 0, 400_000, -75_000])
        sample = {"at": at}
        for field in FIELDS:
            if rng.random() < 0.2:
                continue
            if field.startswith("memory"):
                sample[field] = rng.randrange(1 << 40)
            else:
                sample[field] = rng.choice([0, rng.random(), rng.random() * 10 ** rng.randrange(9)])
        samples.append(sample)
    return samples


def in_time(samples):
    """Of equal times the one that came first stays first."""
    return sorted(samples, key=lambda sample: sample["at"])


@pytest.fixture
def trace(tmp_path):
    """Writes a trace and returns its path."""
    def write(text, name="web-1.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path
    return write


def replay(path, *args):
    return output_of(NOWHERE, "replay", path, *args)


def replay_json(path, *args):
    return json.loads(replay(path, *args, "-o", "json"))


def replay_stdin(text, *args):
    done = subprocess.run([METERCTL, "replay", "-", *args], input=text, capture_output=True,
                          env=clean_environment(), text=True, timeout=DEADLINE, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def samples_of(series):
    return [sample_from_json(row) for row in series]


# --- what it answers ---

@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    with recording(tmp_path_factory.mktemp("recorded")) as it:
        yield it


@pytest.mark.parametrize("args", [
    ("--raw",), ("--resolution", "15s"), ("--resolution", "15s", "--align", "epoch"),
    ("--resolution", "1m", "--aggregate", "max,min,last,mean"), ("--resolution", "7ms"),
    ("--resolution", "1h", "--align", "epoch", "--aggregate", "last")], ids=" ".join)
def test_answers_as_meterd_did(recorded, tmp_path, args):
    """Byte for byte, in every form, from what it printed of its samples."""
    path = tmp_path / "rec.csv"
    path.write_text(output_of(recorded.nats, "range", "rec", *window(recorded), "--raw",
                              "-o", "csv"))
    for form in ("json", "csv", "table"):
        want = output_of(recorded.nats, "range", "rec", *window(recorded), *args, "-o", form)
        assert replay(path, *window(recorded), *args, "-o", form) == want
    assert replay(path, *window(recorded), "--raw", "-o", "csv") == path.read_text()


@pytest.mark.parametrize("align", ["since", "epoch"])
@pytest.mark.parametrize("resolution", [1_000, 10_000, 61_003, 3_600_000])
def test_against_the_model(trace, align, resolution):
    samples = random_samples(3_000, seed=resolution)
    times = [sample["at"] for sample in samples]
    path = trace(trace_of(samples))
    since, until = min(times) + 123_456, max(times) - 234_567
    said = replay_json(path, "--since", since, "--until", until, "--resolution", f"{resolution}ms",
                       "--align", align, "--aggregate", "last,max,min,mean")
    if align == "epoch":
        since -= since % resolution
        until += -until % resolution
    assert (from_rfc3339(said["since"]), from_rfc3339(said["until"])) == (since, until)
    assert said["resolution_ms"] == resolution
    assert list(said["series"]) == ["last", "max", "min", "mean"]
    for aggregate, series in said["series"].items():
        assert_rows(samples_of(series),
                    expected_rows(in_time(samples), since, until, resolution, aggregate))


def test_raw_is_every_row(trace):
    samples = random_samples(3_000)
    said = replay_json(trace(trace_of(samples)), "--since", 1, "--raw")
    assert list(said) == ["instance_id", "tracked", "since", "until", "series"]
    assert_rows(samples_of(said["series"]), expected_raw(in_time(samples)))


def test_forms(trace):
    path = trace(SMALL)
    assert replay(path, "--raw", "-o", "csv") == f"""{HEADER}
1790000010000,1.5,1048576,2097152,10,0,3,250
1790000020000,,,2097152,1000,5,0.5,0.125
1790000030000,2.5,1049600,,,,,
1790000030000,3.5,1048576,2097152,0,0,,
"""
    head, *lines = replay(path, "--raw").splitlines()
    assert head.split() == ["TIME", "CPU%", "MEM", "LIMIT", "NET-IN", "NET-OUT", "REQ/S", "P95"]
    assert lines[0].split() == ["2026-09-21T14:13:30.000Z", "1.5", "1.0MiB", "2.0MiB", "10B/s",
                                "0B/s", "3.0", "250.0ms"]
    assert lines[2].split()[1:] == ["2.5", "1.0MiB", "-", "-", "-", "-", "-"]
    since = "--since", 1790000010000, "--resolution", "20s"
    assert replay(path, *since, "--aggregate", "max,last", "-o", "csv") == f"""\
unix_ms,aggregate,{HEADER.removeprefix("unix_ms,")},count
1790000010000,max,1.5,1048576,2097152,1000,5,3,250,2
1790000010000,last,1.5,1048576,2097152,1000,5,0.5,0.125,2
1790000030000,max,3.5,1049600,2097152,0,0,,,2
1790000030000,last,3.5,1048576,2097152,0,0,,,2
"""
    said = replay_json(path, *since)
    assert list(said) == ["instance_id", "tracked", "since", "until", "resolution_ms", "series"]
    assert said["instance_id"] == "web-1" and said["tracked"] is True
    assert said["series"][1] == {
        "at": to_rfc3339(1790000030000), "cpu_percent": 3, "memory_used_mb": 1,
        "memory_used_bytes": 1049088, "memory_limit_mb": 2, "memory_limit_bytes": 2097152,
        "network_in_bytes_per_sec": 0, "network_out_bytes_per_sec": 0, "count": 2}


@pytest.mark.parametrize("args, since, resolution", [
    ((), 3_600_000, 30_000), (("--range", "5m"), 300_000, 10_000),
    (("--range", "1d"), 86_400_000, 720_000), (("--raw",), 3_600_000, None)],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_clock_is_the_files(trace, args, since, resolution):
    """Now is the newest row + 1 ms, wherever it stands; the poll interval is 10 s."""
    path = trace(trace_of([{"at": START}, {"at": START + 9}, {"at": START + 3}]))
    said = replay_json(path, *args)
    assert from_rfc3339(said["until"]) == START + 10
    assert from_rfc3339(said["since"]) == START + 10 - since
    assert said.get("resolution_ms") == resolution
    assert sum(row["count"] for row in said["series"]) == 3


def test_window_without_samples(trace):
    path = trace(SMALL)
    said = replay_json(path, "--since", START - 10**9, "--until", START - 10**8)
    assert said["series"] == [] and said["tracked"] is True
    assert replay(path, "--since", 5, "--until", 5, "--raw", "-o", "csv") == HEADER + "\n"


@pytest.mark.parametrize("text", [HEADER, HEADER + "\n", HEADER + "\r\n\r\n"])
def test_trace_without_rows(trace, text):
    path = trace(text)
    said = replay_json(path)
    assert said["series"] == [] and said["until"] == "1970-01-01T00:00:00.000Z"
    assert replay_json(path, "--since", START, "--raw")["series"] == []
    assert replay(path, "--raw", "-o", "csv") == HEADER + "\n"
    fails(ctl(NOWHERE, "replay", path, "--report"), 1, "the trace has no rows")


@pytest.mark.parametrize("change", [
    lambda text: text.replace("\n", "\r\n"), lambda text: text.removesuffix("\n"),
    lambda text: text + "\n\r\n\n"], ids=["crlf", "no newline at the end", "empty lines"])
def test_line_ends(trace, change):
    for args in (("--raw",), ("--range", "1m")):
        want = replay(trace(SMALL), *args)
        assert replay(trace(change(SMALL), "other.csv"), *args) == want


def test_standard_input(trace):
    path = trace(SMALL)
    for args in (("--raw", "-o", "csv"), ("--range", "1m"), ("--report",)):
        assert replay_stdin(SMALL, *args) == replay(path, *args)


@pytest.mark.parametrize("name, instance", [
    ("web-1.csv", "web-1"), ("web-1", "web-1"), ("web.1.csv", "replay"), ("a b.csv", "replay"),
    (".csv", "replay"), ("x" * 128 + ".csv", "x" * 128), ("x" * 129 + ".csv", "replay")])
def test_instance_is_the_files_name(trace, name, instance):
    assert replay_json(trace(SMALL, name))["instance_id"] == instance
    assert json.loads(replay_stdin(SMALL, "-o", "json"))["instance_id"] == "replay"


@pytest.mark.parametrize("capacity", [1, 7, 1000])
def test_smaller_store_than_trace(trace, capacity):
    """The last rows of the file answer; now is that of the whole file all the same."""
    n = 3 * PACKED
    samples = [{"at": START - i, "cpu_percent": i} for i in range(n)]  # each is older
    said = replay_json(trace(trace_of(samples)), "--capacity", capacity, "--raw")
    held = [from_rfc3339(row["at"]) for row in said["series"]]
    assert capacity <= len(held) < capacity + PACKED
    assert held == list(range(START - n + 1, START - n + 1 + len(held)))
    assert from_rfc3339(said["until"]) == START + 1


def test_capacity_is_meterds_default(trace):
    samples = [{"at": START + i} for i in range(CAPACITY + 3 * PACKED)]
    path = trace(trace_of(samples))
    held = replay_json(path, "--raw", "--since", 1)["series"]
    assert CAPACITY <= len(held) < CAPACITY + PACKED
    held = replay_json(path, "--raw", "--since", 1, "--capacity", 16777216)["series"]
    assert len(held) == len(samples)


@pytest.mark.parametrize("args, pattern", [
    (("--since", "2", "--until", "1"), "since is after until: .*"),
    (("--since", START + 10**9), "since is after until: it may be at most now, 1790000030001 .*"),
    (("--since", "1", "--range", "1h"), "since and range are both given: .*"),
    (("--since", "-1"), "since is negative: .*"),
    (("--resolution", "36900d"), "resolution is over 100 years: .*"),
    (("--range", "100001s", "--resolution", "1s"),
     "100,001 points are more than 100,000: the finest resolution for this window is 1001 ms"),
    (("--range", "100001s", "--resolution", "1s", "--aggregate", "mean,max"),
     "200,002 points are more than 200,000: the finest resolution for this window is 1001 ms"),
], ids=str)
def test_refused(trace, args, pattern):
    fails(ctl(NOWHERE, "replay", trace(SMALL), *args), 1, pattern)


def test_as_fine_as_the_store_may(trace):
    args = "--range", "100000s", "--resolution", "1s", "--aggregate", "min,max,mean,last"
    said = replay_json(trace(SMALL), *args)
    assert [row["count"] for row in said["series"]["mean"]] == [1, 1, 2]


# --- what it does not take ---

TIME_RULE = "is not a time in Unix milliseconds, from 1970 to the year 9999"
VALUE_RULE = "is not a number that is 0 or more"
HEADER_RULE = f"FILE:1: the first line has to be the header {HEADER}"
GOOD = "1,1,1,1,1,1,1,1\n"


@pytest.mark.parametrize("text, error", [
    ("", HEADER_RULE),
    ("\n", HEADER_RULE),
    (GOOD, HEADER_RULE),
    (f"{HEADER},count\n{GOOD}", HEADER_RULE),
    (f"{HEADER[:-1]}\n{GOOD}", HEADER_RULE),
    (HEADER.upper() + "\n", HEADER_RULE),
    (HEADER.replace("cpu_percent", "aggregate,cpu_percent") + "\n", HEADER_RULE),
    (f"{HEADER}\n{GOOD * 15}1,abc,1,1,1,1,1,1\n", f"FILE:17: cpu_percent: 'abc' {VALUE_RULE}"),
    (f"{HEADER}\n{GOOD}\n{GOOD}", "FILE:3: the line is empty, and rows follow it"),
    (f"{HEADER}\r\n\r\n{GOOD}", "FILE:2: the line is empty, and rows follow it"),
    (f"{HEADER}\n1,1,1,1,1,1,1\n", "FILE:2: the row has 7 cells: it has to have 8"),
    (f"{HEADER}\n1,1,1,1,1,1,1,1,1", "FILE:2: the row has 9 cells: it has to have 8"),
    (f"{HEADER}\n,1,1,1,1,1,1,1\n", f"FILE:2: unix_ms: '' {TIME_RULE}"),
    (f"{HEADER}\n1e9,1,1,1,1,1,1,1\n", f"FILE:2: unix_ms: '1e9' {TIME_RULE}"),
    (f"{HEADER}\n-1,1,1,1,1,1,1,1\n", f"FILE:2: unix_ms: '-1' {TIME_RULE}"),
    (f"{HEADER}\n253402300800000,,,,,,,\n", f"FILE:2: unix_ms: '253402300800000' {TIME_RULE}"),
    (f"{HEADER}\n1,-0.5,1,1,1,1,1,1\n", f"FILE:2: cpu_percent: '-0.5' {VALUE_RULE}"),
    (f"{HEADER}\n1,1,nan,1,1,1,1,1\n", f"FILE:2: memory_used_bytes: 'nan' {VALUE_RULE}"),
    (f"{HEADER}\n1,1,1,inf,1,1,1,1\n", f"FILE:2: memory_limit_bytes: 'inf' {VALUE_RULE}"),
    (f"{HEADER}\n1,1,1,1,1e309,1,1,1\n", f"FILE:2: net_in_bytes_per_sec: '1e309' {VALUE_RULE}"),
    (f"{HEADER}\n1,1,1,1,1,0x1p3,1,1\n", f"FILE:2: net_out_bytes_per_sec: '0x1p3' {VALUE_RULE}"),
    (f"{HEADER}\n1,1,1,1,1,1,1 2,1\n", f"FILE:2: requests_per_sec: '1 2' {VALUE_RULE}"),
    (f"{HEADER}\n1,1,1,1,1,1,1,7ms\n", f"FILE:2: latency_p95_ms: '7ms' {VALUE_RULE}"),
    (f"{HEADER}\n1,\x1b[31m\x9b,1,1,1,1,1,1\n", f"FILE:2: cpu_percent: '?[31m??' {VALUE_RULE}"),
    (f"{HEADER}\n1,1,1,1,1,1,1,{'9' * 1000}\n", "FILE:2: the line has more than 1000 bytes"),
    (f"{HEADER}\n1,1\0,1,1,1,1,1,1\n", "FILE:2: the line has a NUL byte"),
], ids=range(26))
def test_bad_files(trace, text, error):
    """One line that says where, and what there may be; nothing of the answer is printed before."""
    path = trace(text)
    for args in (("--raw",), ("--report",)):
        fails(ctl(NOWHERE, "replay", path, *args), 1, re.escape(error.replace("FILE", str(path))))


def test_unreadable(tmp_path):
    for args in ((), ("--report",)):
        path = tmp_path / "none.csv"
        fails(ctl(NOWHERE, "replay", path, *args), 1, f"cannot read {path}: No such file .*")
        fails(ctl(NOWHERE, "replay", tmp_path, *args), 1, f"cannot read {tmp_path}: Is a directory")
        fails(ctl(NOWHERE, "replay", "-", *args), 1, "standard input:1: the first line .*")


@pytest.mark.parametrize("args, pattern", [
    ((), "replay: the FILE is missing"),
    (("a.csv", "b.csv"), "replay: 'b.csv' is one argument too many"),
    (("a.csv", "--capacity", "0"), "--capacity: '0' is not what it may be: 1 to 16777216"),
    (("a.csv", "--capacity", "16777217"), "--capacity: '16777217' is not .*"),
    (("a.csv", "--capacity", "1k"), "--capacity: '1k' is not .*"),
    (("a.csv", "--capacity", "+1"), r"--capacity: '\+1' is not .*"),
    (("a.csv", "--capacity", ""), "--capacity: '' is not .*"),
    (("a.csv", "--aggregate", "p99"), "--aggregate: 'p99' is not .*"),
    (("a.csv", "--since", "yesterday"), "--since: 'yesterday' is not .*"),
    (("a.csv", "--count", "1"), "--count: no such option .*"),
    *((("a.csv", "--report", *option), "replay: --report is about the whole FILE: .*") for option in
      (("--raw",), ("--since", "1"), ("--until", "1"), ("--range", "1h"), ("--resolution", "1m"),
       ("--aggregate", "max"), ("--align", "since"))),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_usage_errors(args, pattern):
    """Found before the file is opened: there is none."""
    fails(ctl(NOWHERE, "replay", *args), 2, pattern)


def test_help():
    text = output_of(NOWHERE, "replay", "--help")
    assert text.startswith("usage: meterctl replay FILE ")
    for option in ("--capacity", "--report", "--since", "--align", "--raw"):
        assert option in text


# --- report ---

def report_of(path, *args):
    return replay_json(path, "--report", *args)


def test_report_forms(trace):
    path = trace(trace_of(random_samples(500)))
    text = replay(path, "--report", "-o", "json")
    said = json.loads(text)
    assert list(said) == REPORT_KEYS and text.count("\n") == 1
    row, = rows_of(replay(path, "--report", "-o", "csv"))
    assert {key: float(value) for key, value in row.items()} == said and list(row) == REPORT_KEYS
    lines = [line.rsplit(maxsplit=1) for line in replay(path, "--report").splitlines()]
    assert [name.replace(" ", "_").lower() for name, _ in lines] == REPORT_KEYS
    for (_, shown), exact in zip(lines, said.values()):
        assert abs(float(shown) - exact) < 0.01


@pytest.mark.parametrize("rows", [1, 100, 5_000, 30_000])
@pytest.mark.parametrize("capacity", [10, 8_640, None])
def test_report_is_of_a_full_store(trace, rows, capacity):
    """Whether the trace is shorter than the store or longer."""
    path = trace(trace_of(random_samples(rows)))
    said = report_of(path, *(("--capacity", capacity) if capacity else ()))
    capacity = capacity or CAPACITY
    assert said["capacity"] == capacity
    assert capacity <= said["samples"] < capacity + PACKED
    assert said["instances_per_gib"] == (1 << 30) // said["bytes_per_instance"]
    held = said["bytes_per_instance"] / said["bytes_per_sample"]
    assert capacity * 0.5 < held < capacity + PACKED


def test_report_grows_with_the_store(trace):
    path = trace(trace_of(random_samples(1_000)))
    small, large = (report_of(path, "--capacity", n) for n in (10_000, 40_000))
    assert 2.5 < large["bytes_per_instance"] / small["bytes_per_instance"] < 5.5
    assert small["instances_per_gib"] > large["instances_per_gib"] > 0


@pytest.mark.parametrize("times", [(1, 253402300799998), (253402300799998, 1)])
def test_report_of_times_that_are_far_apart(trace, times):
    """In either order: repeated until the store is full, it would go on after the year 9999."""
    far = trace(trace_of([{"at": at} for at in times]))
    for capacity in (1, CAPACITY, 16777216):
        fails(ctl(NOWHERE, "replay", far, "--report", "--capacity", capacity), 1,
              "the trace is too short for the time it spans: .*")
    assert replay(far, "--raw", "--since", 1, "-o", "csv").count("\n") == 3
