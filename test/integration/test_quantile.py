"""design.md, section 9: the P95 against Prometheus's own arithmetic, on the same pages, over HTTP."""

import json
import math
import os
from urllib.parse import urlencode

import pytest

import exporters
from exporters import fetch
from pages import Page, Replay, Story, path_of

FAMILIES = {"caddy": "caddy_http_request_duration_seconds",
            "prometheus": "prometheus_http_request_duration_seconds",
            "prom-client": "http_request_duration_seconds",
            "prom-client.openmetrics": "http_request_duration_seconds"}
RELATIVE = 1e-9


@pytest.fixture
def stories():
    return {name: Story(Page(name, family), seed) for seed, (name, family) in enumerate(FAMILIES.items())}


@pytest.fixture
def replay(stories):
    server = Replay(stories)
    yield server
    server.close()


def ask(prometheus, **query):
    return json.loads(fetch(f"{prometheus.site}/api/v1/query?{urlencode(query)}"))["data"]["result"]


def scrape_times(prometheus, name, n):
    """Unix ms of the first n scrapes, all of which went well."""
    [scrapes] = ask(prometheus, query=f'up{{job="{name}"}}[1h]')
    times = [round(at * 1000) for at, is_up in scrapes["values"][:n] if is_up == "1"]
    assert len(times) == n
    return times


def p95_in_window(prometheus, name, begin, end):
    """ms, over the scrapes at begin and end and no other; None: there is no value."""
    window = f'{FAMILIES[name]}_bucket{{job="{name}"}}[{end - begin}ms]'
    found = ask(prometheus, query=f"histogram_quantile(0.95, sum by (le) (increase({window})))", time=end / 1000)
    value = float(found[0]["value"][1]) if found else math.nan
    return None if math.isnan(value) else value * 1000


def p95_by_prometheus(prometheus, name, n):
    """Of each of n pages, compared with the one before."""
    times = scrape_times(prometheus, name, n)
    return [None, *(p95_in_window(prometheus, name, *window) for window in zip(times, times[1:]))]


def test_same_as_prometheus(meterd, api, watch, exporter, replay, stories):
    """Growth, none at all, beyond the last bound, label sets that come, go and come back, a new beginning."""
    prometheus = exporter(exporters.prometheus,
                          [(name, replay.address, path_of("prometheus", name)) for name in stories])
    meterd("--interval", "200ms")
    samples = {name: watch(name.replace(".", "-")) for name in stories}
    for name in stories:
        api.track(name.replace(".", "-"), pid=os.getpid(), metrics_url=replay.url("meterd", name))
    replay.wait_told("meterd")
    replay.wait_told("prometheus")
    for name, story in stories.items():
        ours = samples[name].take(len(story.pages))
        expected = p95_by_prometheus(prometheus, name, len(ours))
        assert [sample["sequence"] for sample in ours] == list(range(1, len(ours) + 1))
        assert len(set(expected)) > len(ours) / 2, name
        assert [sample.get("latency_p95_ms") for sample in ours] == [
            value and pytest.approx(value, rel=RELATIVE, abs=0) for value in expected], name
        assert api.entries()[name.replace(".", "-")]["latency_family"] == FAMILIES[name]
