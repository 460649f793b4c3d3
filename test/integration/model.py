"""What a range reply must hold, computed the plain way from the samples that were published."""

import math

from messages import FIELDS

# The store keeps 10 bits of x + offset and whole KiB of memory: so far may an answer be off.
STORED_OFFSET = {"cpu_percent": 1.0, "network_in_bytes_per_sec": 1024.0,
                 "network_out_bytes_per_sec": 1024.0, "requests_per_sec": 1.0,
                 "latency_p95_ms": 1.0}
STORED_BYTES = 1024

AGGREGATES = {
    "mean": lambda readings: math.fsum(readings) / len(readings),
    "min": min,
    "max": max,
    "last": lambda readings: readings[-1],
}


def expected_rows(samples, since, until, resolution, aggregate="mean"):
    """The rows of one series; samples are in time order."""
    buckets = {}
    for sample in samples:
        if since <= sample["at"] < until:
            buckets.setdefault((sample["at"] - since) // resolution, []).append(sample)
    rows = []
    for n, inside in sorted(buckets.items()):
        row = {"at": since + n * resolution, "count": len(inside)}
        for field in FIELDS:
            readings = [sample[field] for sample in inside if field in sample]
            if readings:
                row[field] = AGGREGATES[aggregate](readings)
        rows.append(row)
    return rows


def expected_raw(samples):
    return [{"count": 1, **{key: sample[key] for key in ("at", *FIELDS) if key in sample}}
            for sample in samples]


def assert_rows(got, expected):
    """Equal but for the precision of the store."""
    assert [row["at"] for row in got] == [row["at"] for row in expected]
    for have, want in zip(got, expected):
        assert have.keys() == want.keys(), f"at {want['at']}"
        assert have["count"] == want["count"], f"at {want['at']}"
        for field in FIELDS:
            if field in want:
                assert abs(have[field] - want[field]) <= precision(field, want[field]), \
                    f"{field} at {want['at']}: {have[field]}, expected {want[field]}"


def precision(field, value):
    if field not in STORED_OFFSET:
        return STORED_BYTES
    return (value + STORED_OFFSET[field]) / 2048 * 1.001  # ours are sums of doubles, too
