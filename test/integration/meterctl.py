"""meterctl as it is run and read, and a meterd that holds samples whose every field is known."""

import contextlib
import csv
import io
import re
import types

from controlplane import ControlPlane
from messages import Api, Watch, now_ms
from processes import FAULTS, METERCTL, Meterd, NatsServer, run

STEP = 5_000  # ms between the stamps of two recorded readings
RECORDED = 40
SAMPLE_COLUMNS = ["unix_ms", "cpu_percent", "memory_used_bytes", "memory_limit_bytes",
                  "net_in_bytes_per_sec", "net_out_bytes_per_sec", "requests_per_sec",
                  "latency_p95_ms"]
NOWHERE = types.SimpleNamespace(url="nats://127.0.0.1:1")  # where no server is


# --- running it ---

def ctl(server, *args, env=None):
    """meterctl, run to its end, with the server in its environment."""
    done = run(METERCTL, *map(str, args), env={"NATS_URL": server.url, **(env or {})})
    assert not any(fault in done.stderr for fault in FAULTS), done.stderr
    return done


def output_of(server, *args, env=None):
    done = ctl(server, *args, env=env)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def fails(done, status, pattern, stdout=""):
    """One line on standard error, nothing but stdout on the other."""
    assert done.returncode == status, done
    assert done.stdout == stdout, done
    assert re.fullmatch(rf"meterctl: {pattern}\n", done.stderr), done.stderr


# --- a meterd that holds samples whose every field is known ---

def recorded_usage(base):
    def usage(n):
        if n >= RECORDED:
            return None
        said = {"cpu_percent": (n * 37 % 101) * 0.93, "memory_used_mb": 100 + n * n % 23,
                "memory_limit_mb": 512, "network_in_mb": 1.75 * n * n,
                "network_out_mb": 0.01 * n, "at": base + n * STEP}
        for field, every in (("cpu_percent", 5), ("memory_limit_mb", 4), ("network_in_mb", 7)):
            if n % every == every - 1:
                del said[field]
        return said
    return usage


@contextlib.contextmanager
def recording(directory, *args, config=""):
    with contextlib.closing(NatsServer(directory, config)) as nats, \
            contextlib.closing(Meterd(("--source", "bus", "--interval", "100ms", *args),
                                      directory / "meterd.log", nats.url)) as meterd:
        meterd.wait_ready()
        base = now_ms() - RECORDED * STEP
        ControlPlane(nats.connect()).usage = recorded_usage(base)
        bus = nats.connect()
        watch = Watch(bus)
        api = Api(bus)
        api.track("rec", tenant="acme", workload_id="web")
        samples = watch.take(RECORDED)
        yield types.SimpleNamespace(nats=nats, meterd=meterd, api=api, samples=samples, since=base,
                                    until=base + RECORDED * STEP)


def window(it):
    return "--since", it.since, "--until", it.until
