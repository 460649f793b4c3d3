"""design.md, section 7: requests per second and P95, as real programs tell of them, under a load that is known.

Rates are compared with what the load itself counts, the P95 with what it measures; in test_quantile.py with Prometheus.
"""

import bisect
import re

import pytest

import exporters
from counters import Counter, follow, growth, integral, is_within
from exporters import fetch
from load import SLOW_EVERY, SLOW_S
from messages import now_ms
from processes import FAST

RATE, P95 = "requests_per_sec", "latency_p95_ms"
QUERY = "/api/v1/query?query=1"
PERCENT = 2


@pytest.fixture
def measure(meterd, api, watch):
    """Factory of (samples of a program, what counts its requests); args are for meterd, target is for the Target."""
    def start(program, count, *args, interval="500ms", **target):
        meterd("--interval", interval, *args)
        samples = watch("web")
        api.track("web", pid=program.pid, metrics_url=program.metrics_url, **target)
        counter = Counter(count)
        return follow(samples, RATE, counter), counter
    return start


def check_rate(span, counter, scrapes=False):
    """scrapes: the program counts them, too."""
    least, most = growth(span, counter)
    extra = len(span) - 1 if scrapes else 0
    assert least > 100
    assert is_within(PERCENT, integral(span, RATE), (least + extra, most + extra))


def check_p95(span, requests, bounds):
    """Each in the bucket in which the load finds it over the whole span."""
    measured = bisect.bisect_left(bounds, requests.latency_p95(span[0]["at"], span[-1]["at"]))
    assert {bisect.bisect_left(bounds, sample[P95]) for sample in span} == {measured}


def bounds_of(family, program):
    """Of a histogram's buckets, in ms."""
    told = re.findall(rf'^{family}_bucket{{.*\ble="([^"]+)"', fetch(program.metrics_url), re.MULTILINE)
    return sorted({float(bound) * 1000 for bound in told})


def families(api):
    entry = api.entries()["web"]
    assert "last_error" not in entry
    return entry.get("request_family"), entry.get("latency_family")


def test_caddy(api, measure, exporter, backend, load):
    """Each of three handlers counts every request, and it is told once; one in five is slow, and so is the P95."""
    caddy = exporter(exporters.caddy, backend.address)
    requests = load(caddy.site, rate=100, paths=["/"] * (SLOW_EVERY - 1) + ["/slow"])
    span, counter = measure(caddy, requests.count)
    check_rate(span, counter)
    histogram = "caddy_http_request_duration_seconds"
    check_p95(span, requests, bounds_of(histogram, caddy))
    assert requests.latency_p95(0, now_ms()) >= SLOW_S * 1000
    assert families(api) == ("caddy_http_requests_total", histogram)


def test_haproxy(api, measure, exporter, load):
    """What is asked of its own proxies does not count; it tells nothing of latency."""
    haproxy = exporter(exporters.haproxy)
    load(haproxy.stats, rate=30)
    span, counter = measure(haproxy, load(haproxy.site, rate=100).count)
    check_rate(span, counter)
    assert not any(P95 in sample for sample in span)
    assert families(api) == ("haproxy_frontend_http_requests_total", None)


def test_prometheus(api, measure, exporter, load):
    """As a workload, with requests of its API."""
    prometheus = exporter(exporters.prometheus)
    requests = load(prometheus.site, rate=100, paths=[QUERY])
    span, counter = measure(prometheus, requests.count)
    check_rate(span, counter, scrapes=True)
    histogram = "prometheus_http_request_duration_seconds"
    check_p95(span, requests, bounds_of(histogram, prometheus))
    assert families(api) == ("prometheus_http_requests_total", histogram)


def test_node_exporter(meterd, api, watch, exporter):
    """Nothing about requests but its own scrapes: absent, and no error."""
    check_nothing(meterd, api, watch, exporter(exporters.node_exporter))


def test_victoria_metrics_not_named(meterd, api, watch, exporter):
    """It has families that nobody knows."""
    check_nothing(meterd, api, watch, exporter(exporters.victoria_metrics))


def check_nothing(meterd, api, watch, program):
    service = meterd("--interval", FAST)
    samples = watch("web")
    api.track("web", pid=program.pid, metrics_url=program.metrics_url)
    taken = samples.take(4)
    assert "cpu_percent" in taken[-1]
    assert not any({RATE, P95} & sample.keys() for sample in taken)
    assert families(api) == (None, None)
    stats = service.stats()
    assert stats["scrapes"] >= len(taken) and stats["scrapes_failed"] == 0


NAMES = {"request_counter": "vm_http_requests_total", "latency_histogram": "vm_request_duration_seconds",
         "latency_quantile": 0.97}  # a summary, which has this quantile and no 0.95
FLAGS = [text for name, value in NAMES.items() for text in (f"--{name.replace('_', '-')}", str(value))]
OTHER = ["--request-counter", "other_total", "--latency-histogram", "other_seconds"]


@pytest.mark.parametrize("args, target", [(FLAGS, {}), (OTHER, NAMES)], ids=["settings", "target"])
def test_victoria_metrics(api, measure, exporter, load, args, target):
    """No TYPE lines: families by the names that are given. It makes a new page once a second at most."""
    victoria = exporter(exporters.victoria_metrics)
    requests = load(victoria.site, rate=100, paths=[QUERY])
    span, counter = measure(victoria, requests.count, *args, interval="2500ms", **target)
    check_rate(span, counter, scrapes=True)
    assert all(0 < sample[P95] <= requests.latency_max() for sample in span)
    assert families(api) == (NAMES["request_counter"], NAMES["latency_histogram"])
