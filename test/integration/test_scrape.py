"""Requests and latency of what a workload tells on its page of metrics; workloads that behave badly."""

import json
import os
import ssl
import subprocess

import pytest

import workload as workloads
from meterctl import output_of
from processes import FAST, eventually
from workload import OPENMETRICS, P95_MS, REQUESTS

BOTH = ("requests_per_sec", "latency_p95_ms")
METADATA = "169.254.169.254"


@pytest.fixture
def workload():
    with workloads.running() as one:
        yield one


@pytest.fixture(params=["bus", "process"])
def target(request, worker, control_plane):
    """An instance that is read from the bus, or from here."""
    return {} if request.param == "bus" else {"pid": worker().pid}


@pytest.fixture
def service(meterd, control_plane):
    return meterd("--interval", FAST, "--engine-sockets", "none")


@pytest.fixture
def samples(service, watch):
    return watch("one")


def has_both(sample):
    return all(field in sample for field in BOTH)


def has_none(sample):
    assert "memory_used_bytes" in sample
    return not any(field in sample for field in BOTH)


def error_of(api, instance="one"):
    return api.entries()[instance].get("last_error", "")


def requests_in(samples):
    """By the rates and the intervals they are over, for each sample but the first."""
    return [sample["requests_per_sec"] * (sample["at"] - before["at"]) / 1000
            for before, sample in zip(samples, samples[1:])]


def check_fails(api, samples, service, sentence, counter):
    """Readings go on without the two fields, the list says why, and only that reason is counted."""
    before = service.stats()
    samples.wait_for(has_none)
    eventually(f"{sentence!r} is shown", lambda: sentence in error_of(api))
    samples.wait_for(has_none)
    after = service.wait_stats(f"{counter} goes up", lambda stats: stats[counter] > before[counter])
    grown = {name for name in after if name.startswith("scrapes_") and after[name] > before[name]}
    assert grown <= {"scrapes_failed", counter, "scrapes_unanswered"}
    assert after["readings_failed"] == before["readings_failed"]


# --- what is told ---

def test_rate_and_latency(service, samples, api, workload, target):
    """The first sample has neither; then the rates come to what was counted, and P95 is exact."""
    api.track("one", metrics_url=workload.url(), **target)
    assert has_none(samples.next())
    taken = [samples.wait_for(has_both)]
    taken += samples.take(20)
    assert sum(requests_in(taken)) == pytest.approx(20 * REQUESTS, rel=0.15)
    assert [sample["latency_p95_ms"] for sample in taken] == [pytest.approx(P95_MS)] * 21
    entry = api.entries()["one"]
    assert entry["request_family"] == workload.counter
    assert entry["latency_family"] == workload.histogram
    assert "last_error" not in entry
    stored = [row for row in api.stored("one") if "latency_p95_ms" in row]
    assert len(stored) >= 20
    stats = service.stats()
    assert stats["scrapes"] >= 21 and stats["scrapes_failed"] == 0


def test_requests_of_meterd(samples, api, workload):
    """One connection for all pages; what is asked for, and that nothing secret is sent."""
    api.track("one", metrics_url=workload.url("/m?format=x"))
    samples.take(20)
    assert workload.connections == 1
    path, headers = workload.requests[-1]
    assert path == "/m?format=x"
    assert headers["host"] == f"127.0.0.1:{workload.port}"
    assert "application/openmetrics-text" in headers["accept"] and "text/plain" in headers["accept"]
    assert headers["x-prometheus-scrape-timeout-seconds"] == "0.150"  # 3/4 of the interval
    assert "gzip" in headers["accept-encoding"]
    assert headers["user-agent"].startswith("meterd/")
    assert not {"cookie", "authorization", "proxy-connection"} & headers.keys()


def test_no_proxy(nats, meterd, watch, api, workload, control_plane):
    """A proxy in the environment is of no concern."""
    nowhere = dict.fromkeys(["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"], "http://127.0.0.1:1")
    meterd("--interval", FAST, "--engine-sockets", "none", env=nowhere)
    samples = watch("one")
    api.track("one", metrics_url=workload.url())
    samples.wait_for(has_both)


@pytest.mark.parametrize("mode", ["gzip", "openmetrics", "without_type", "html_type"])
def test_good_pages(samples, api, workload, mode):
    """However it is sent."""
    workload.mode = mode
    api.track("one", metrics_url=workload.url())
    assert samples.wait_for(has_both)["latency_p95_ms"] == pytest.approx(P95_MS)
    assert error_of(api) == ""


def test_page_of_no_family(service, samples, api, workload):
    """An exporter that tells neither: absent, and nothing is wrong with that."""
    workload.counter, workload.histogram = "jobs_total", "jobs_seconds"
    api.track("one", metrics_url=workload.url())
    service.wait_stats("pages are read", lambda stats: stats["scrapes"] >= 3)
    assert not {"requests_per_sec", "latency_p95_ms"} & samples.next().keys()
    assert not {"request_family", "latency_family", "last_error"} & api.entries()["one"].keys()


@pytest.mark.parametrize("named", ["request_counter", "latency_histogram"])
def test_named_family_is_missing(service, samples, api, workload, named):
    """Who names a family is told when it is not there."""
    workload.counter, workload.histogram = "other_total", "other_seconds"
    api.track("one", metrics_url=workload.url(), **{named: "jobs_seconds"})
    check_fails(api, samples, service, "the page has no family jobs_seconds", "scrapes_malformed")


# --- it begins anew ---

def test_workload_restarts(samples, api, workload, target):
    """Its counters go back between two pages: no spike, nothing below 0."""
    api.track("one", metrics_url=workload.url(), **target)
    before = [samples.wait_for(has_both), *samples.take(3)]
    workload.restart()
    after = [before[-1], *samples.take(10)]
    assert all(has_both(sample) for sample in after)
    assert all(0 <= each < 10 * REQUESTS for each in requests_in(after))


def test_another_incarnation(samples, api, workload, control_plane):
    """The control plane says that it is another one: its pages are not compared with those before."""
    control_plane.usage = lambda n: {"memory_used_mb": 1, "incarnation": "one"}
    api.track("one", metrics_url=workload.url())
    samples.wait_for(has_both)
    control_plane.usage = lambda n: {"memory_used_mb": 1, "incarnation": "two"}
    samples.wait_for(has_none)
    samples.wait_for(has_both)
    assert error_of(api) == ""


def test_cgroup_made_anew(meterd, watch, api, workload, new_cgroup):
    """The same of a cgroup under its old path."""
    path = f"meterd-test-anew-{os.getpid()}"
    meterd("--interval", FAST, "--source", "cgroup")
    samples = watch("one")
    cgroup = new_cgroup(path)
    api.track("one", metrics_url=workload.url(), cgroup_path=cgroup.path)
    samples.wait_for(has_both)
    cgroup.remove()
    eventually("it is gone", lambda: "gone" in error_of(api))
    before = len(workload.requests)
    cgroup.make()
    has_none(samples.wait_for(lambda sample: "latency_p95_ms" not in sample))
    samples.wait_for(has_both)
    assert len(workload.requests) > before


def test_source_fails(service, samples, api, workload, worker):
    """What cannot be read has no sample, and its page is not fetched for nothing."""
    process = worker()
    api.track("one", metrics_url=workload.url(), pid=process.pid)
    samples.wait_for(has_both)
    process.kill()
    eventually("it has ended", lambda: "has ended" in error_of(api))
    fetched = len(workload.requests)
    service.wait_stats("more readings", lambda stats: stats["readings_failed"] >= 5)
    assert len(workload.requests) == fetched


# --- bad pages ---

@pytest.mark.parametrize("mode, sentence, counter", [
    ("not_found", "the answer is 404", "scrapes_status"),
    ("error", "the answer is 500", "scrapes_status"),
    ("redirect", "the answer is 302", "scrapes_status"),
    ("silent", "no whole answer within 150 ms", "scrapes_unanswered"),
    ("drip", "no whole answer within 150 ms", "scrapes_unanswered"),
    ("early", "metrics: ", "scrapes_unanswered"),
    ("no_http", "metrics: ", "scrapes_unanswered"),
    ("huge", "more than 65536 bytes", "scrapes_too_large"),
    ("says_huge", "more than 65536 bytes", "scrapes_too_large"),
    ("bomb", "more than 65536 bytes", "scrapes_too_large"),
    ("cut", "metrics: ", "scrapes_malformed"),
    ("binary", "metrics: ", "scrapes_too_large"),
    ("html", "no line begins with", "scrapes_malformed"),
    ("without_eof", "EOF", "scrapes_malformed"),
    ("broken_line", "metrics: ", "scrapes_malformed"),
])
def test_bad_page(meterd, watch, api, workload, control_plane, mode, sentence, counter):
    """No reading fails for it; when the page is good again, so is everything."""
    service = meterd("--interval", FAST, "--engine-sockets", "none", "--max-scrape-bytes", "64KiB")
    samples = watch("one")
    api.track("one", metrics_url=workload.url())
    samples.wait_for(has_both)
    workload.mode = mode
    check_fails(api, samples, service, sentence, counter)
    assert not any(path == "/elsewhere" for path, _ in workload.requests)
    assert workload.url() in error_of(api)
    workload.mode = "good"
    samples.wait_for(has_both)
    eventually("the error is gone", lambda: error_of(api) == "")


@pytest.mark.parametrize("mode, absent, sentence, counter", [
    ("not_a_number", "requests_per_sec", "NaN", "scrapes_malformed"),
    ("many_series", "requests_per_sec", "too many series", "scrapes_too_many_series"),
    ("other_bounds", "latency_p95_ms", "bucket bounds have changed", "scrapes_malformed"),
])
def test_half_a_page(service, samples, api, workload, mode, absent, sentence, counter):
    """What is wrong with one family does not take the other."""
    api.track("one", metrics_url=workload.url())
    samples.wait_for(has_both)
    workload.mode = mode
    present, = set(BOTH) - {absent}
    samples.wait_for(lambda sample: absent not in sample and present in sample)
    eventually("the list says why", lambda: sentence in error_of(api))
    assert service.stats()[counter] > 0


def test_slow_one_holds_up_nobody(service, watch, api, workload, control_plane):
    """Beside one that hangs the others keep their rhythm, and it has its own samples too."""
    with workloads.running() as hangs:
        hangs.mode = "silent"
        good, bad = watch("good"), watch("bad")
        api.track("good", metrics_url=workload.url())
        api.track("bad", metrics_url=hangs.url())
        good.wait_for(has_both)
        bad.wait_for(has_none)
        numbers = [sample["sequence"] for sample in good.take(10)]
        assert numbers == list(range(numbers[0], numbers[0] + 10))
        assert all(has_none(sample) for sample in bad.take(5))
        assert service.stats()["readings_failed"] == 0


def test_time_of_sample(service, samples, api, workload, worker):
    """It is that of the source, which is read before the page is asked for, however long that takes."""
    workload.mode = "silent"
    api.track("one", metrics_url=workload.url(), pid=worker().pid)
    taken = samples.take(5)
    assert all(sample["at"] <= asked for sample, asked in zip(taken, workload.times))


def test_untracked_while_under_way(service, samples, api, workload):
    """A page that nobody waits for any more is let go."""
    workload.mode = "silent"
    api.track("one", metrics_url=workload.url())
    eventually("it is asked", lambda: workload.requests)
    api.untrack("one")
    assert samples.wait_for(lambda sample: "final" in sample)
    eventually("let go", lambda: workload.gone == workload.connections)
    assert api.list()["total"] == 0


def test_stopped_while_under_way(service, samples, api, workload):
    """So is one at the end of meterd."""
    workload.mode = "silent"
    api.track("one", metrics_url=workload.url())
    eventually("it is asked", lambda: workload.requests)
    assert service.terminate() == 0


# --- where it may be ---

@pytest.mark.parametrize("networks, url", [
    ("127.0.0.1", "http://127.0.0.2:{port}/metrics"),
    ("10.0.0.0/8", "http://127.0.0.1:{port}/metrics"),
    ("10.0.0.0/8", "http://localhost:{port}/metrics"),
    ("10.0.0.0/8,::1", "http://[::ffff:127.0.0.1]:{port}/metrics"),
    ("0.0.0.0/0", f"http://{METADATA}/latest/meta-data/"),
    ("127.0.0.0/8", "http://0.0.0.0:{port}/metrics"),
])
def test_address_not_allowed(meterd, watch, api, control_plane, networks, url):
    """It is the address that counts, and it is not connected to."""
    with workloads.running("0.0.0.0") as workload:
        service = meterd("--interval", FAST, "--engine-sockets", "none", "--metrics-networks", networks)
        samples = watch("one")
        api.track("one", metrics_url=url.format(port=workload.port))
        check_fails(api, samples, service, "is not allowed", "scrapes_refused_address")
        assert workload.connections == 0


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "nonsense", "http://user:secret@127.0.0.1/metrics",
                                 "http://127.0.0.1:99999/", "file:///etc/passwd"])
def test_bad_url(service, samples, api, url):
    """A sentence, and nothing secret in it or in the log."""
    api.track("one", metrics_url=url)
    check_fails(api, samples, service, "metrics: ", "scrapes_refused_url")
    assert "secret" not in error_of(api) + service.log()


def test_query_is_not_shown(service, samples, api, workload):
    """It may hold a token."""
    workload.mode = "not_found"
    api.track("one", metrics_url=workload.url("/metrics?token=secret"))
    check_fails(api, samples, service, "404", "scrapes_status")
    assert "secret" not in error_of(api) + service.log()


def test_tls(nats, meterd, watch, api, control_plane, tmp_path):
    """https: the system's certificates do not know this server; --metrics-ca does."""
    certificate, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=test", "-days", "2",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with workloads.running("127.0.0.1", tls) as workload:
        service = meterd("--interval", FAST, "--engine-sockets", "none")
        samples = watch("one")
        api.track("one", metrics_url=workload.url())
        check_fails(api, samples, service, "certificate", "scrapes_unanswered")
        assert not workload.requests
        service.terminate()
        meterd("--interval", FAST, "--engine-sockets", "none", "--metrics-ca", certificate)
        api.track("one", metrics_url=workload.url())
        samples.wait_for(has_both)
        before = workload.connections
        samples.take(5)
        assert workload.connections == before


def test_nobody_there(service, samples, api, workload):
    workload.close()
    api.track("one", metrics_url=workload.url())
    check_fails(api, samples, service, "refused", "scrapes_unanswered")


# --- whose page, and what of it ---

def test_families_of_target(samples, api, workload):
    """A Target names its own, and the quantile."""
    workload.counter, workload.histogram = "jobs_total", "jobs_seconds"
    api.track("one", metrics_url=workload.url(), request_counter="jobs_total",
              latency_histogram="jobs_seconds", latency_quantile=0.45)
    assert samples.wait_for(has_both)["latency_p95_ms"] == pytest.approx(50)
    entry = api.entries()["one"]
    assert (entry["request_family"], entry["latency_family"]) == ("jobs_total", "jobs_seconds")


def test_families_of_settings(meterd, watch, api, workload, control_plane):
    """The settings do so for all, and a Target has the last word."""
    workload.counter, workload.histogram = "jobs_total", "jobs_seconds"
    meterd("--interval", FAST, "--engine-sockets", "none", "--request-counter", "jobs_total",
           "--latency-histogram", "jobs_seconds", "--latency-quantile", "0.9")
    one, two = watch("one"), watch("two")
    api.track("one", metrics_url=workload.url())
    api.track("two", metrics_url=workload.url(), latency_quantile=0.45)
    assert one.wait_for(has_both)["latency_p95_ms"] == pytest.approx(100)
    assert two.wait_for(has_both)["latency_p95_ms"] == pytest.approx(50)


def test_target_changes(samples, api, workload):
    """Another URL in a later event is another page."""
    with workloads.running() as other:
        other.counted = 0
        api.track("one", metrics_url=workload.url())
        samples.wait_for(has_both)
        api.event("started", "one", metrics_url=other.url())
        eventually("it is asked there", lambda: len(other.requests) >= 3)
        asked = len(workload.requests)
        taken = samples.take(5)
        assert len(workload.requests) == asked
        assert all(0 <= each < 10 * REQUESTS for each in requests_in(taken))


def test_template(meterd, watch, api, workload, control_plane):
    """One for all: with their values, encoded; without a value there is no page; a Target wins."""
    service = meterd("--interval", FAST, "--engine-sockets", "none", "--metrics-url-template",
                     workload.url("/{id}/{workload_id}"))
    one, two, three = watch("one"), watch("two"), watch("three")
    api.track("one", workload_id="a b/c")
    api.track("two")
    api.track("three", workload_id="x", metrics_url=workload.url("/own"))
    one.wait_for(has_both)
    three.wait_for(has_both)
    assert all(has_none(sample) for sample in two.take(5))
    assert error_of(api, "two") == ""
    assert {path for path, _ in workload.requests} == {"/one/a%20b%2Fc", "/own"}
    api.event("started", "two", workload_id="late")
    two.wait_for(has_both)
    assert service.stats()["scrapes_failed"] == 0


def own_address():
    """An address of this machine but lo's, or None."""
    told = subprocess.run(["ip", "-json", "-4", "address", "show", "scope", "global"],
                          capture_output=True, check=True).stdout
    for interface in json.loads(told):
        for address in interface["addr_info"]:
            return address["local"]
    return None


def in_process(_new_cgroup, process):
    return {"pid": process.pid}


def in_cgroup(new_cgroup, process):
    own = new_cgroup(f"meterd-test-{process.pid}-address")
    own.add(process.pid)
    return {"cgroup_path": own.path}


@pytest.fixture(params=[in_process, in_cgroup])
def elsewhere(request, worker, new_cgroup):
    """An instance in a network namespace of its own; set(address) gives it one.

    Nothing leads there; but when it is an address of this machine, meterd finds whoever serves here.
    """
    if os.geteuid() != 0:
        pytest.skip("needs root for network namespaces")
    process = worker(own_network=True)

    def run(*command):
        subprocess.run(["nsenter", "--net", "--target", str(process.pid), "ip", *command], check=True)

    run("link", "add", "veth0", "type", "veth", "peer", "name", "veth1")
    run("link", "set", "lo", "up")
    run("link", "set", "veth0", "up")

    def set_address(address):
        run("address", "flush", "dev", "veth0", "scope", "global")
        run("address", "add", f"{address}/32", "dev", "veth0")

    return request.param(new_cgroup, process), set_address


def test_container_ip(meterd, watch, api, elsewhere, worker):
    """{container_ip}: that of its own network, also one that it gets later; who has none has no page."""
    address = own_address()
    if not address:
        pytest.skip("this machine has no address but those of lo")
    target, set_address = elsewhere
    with workloads.running(address) as workload:
        service = meterd("--interval", FAST, "--metrics-networks", address, "--metrics-url-template",
                         f"http://{{container_ip}}:{workload.port}/{{id}}")
        own, host = watch("own"), watch("host")
        api.track("own", **target)
        api.track("host", pid=worker().pid)
        assert all(has_none(sample) for sample in own.take(3))
        set_address("198.51.100.77")  # nobody's
        check_fails_at = f"http://198.51.100.77:{workload.port}/own"
        eventually("it is looked for there", lambda: check_fails_at in error_of(api, "own"))
        assert service.stats()["scrapes_refused_address"] > 0
        set_address(address)
        own.wait_for(has_both)
        assert {path for path, _ in workload.requests} == {"/own"}
        assert all(has_none(sample) for _, sample in host.received())
        assert error_of(api, "host") == ""


def test_meterctl(nats, service, samples, api, workload):
    """From the command line to the numbers."""
    output_of(nats, "track", "one", "--metrics-url", workload.url())
    samples.wait_for(has_both)
    latest = json.loads(output_of(nats, "latest", "one", "-o", "json"))
    assert latest["sample"]["latency_p95_ms"] == pytest.approx(P95_MS)
    listed = json.loads(output_of(nats, "ls", "-o", "json"))
    assert workload.counter in json.dumps(listed) and workload.histogram in json.dumps(listed)
