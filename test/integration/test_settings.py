"""include/core/config.h: settings from flags and environment, and what is said about wrong ones."""

import os
import re

import pytest

from messages import Api
from processes import FAST, METERCTL, METERD, ROOT, run

programs = pytest.mark.parametrize("program", [METERD, METERCTL], ids=["meterd", "meterctl"])

WRONG = [
    ("server", ""), ("server", "a b"), ("server", "nats://127.0.0.1:port"),
    ("interval", "0"), ("interval", "99ms"), ("interval", "25h"), ("interval", "soon"),
    ("interval", "-1s"), ("interval", ""), ("interval", "1 s"),
    ("capacity", "0"), ("capacity", "-1"), ("capacity", "16777217"), ("capacity", "1e3"),
    ("capacity", "99999999999999999999"),
    ("subject-prefix", ""), ("subject-prefix", "a b"), ("subject-prefix", "a..b"),
    ("subject-prefix", ".a"), ("subject-prefix", "a."), ("subject-prefix", "a.*"),
    ("subject-prefix", ">"), ("subject-prefix", "a\r\nb"), ("subject-prefix", "a" * 200),
    ("control-prefix", ""), ("control-prefix", "*"),
    ("lifecycle-subject", ""), ("lifecycle-subject", "instance"), ("lifecycle-subject", ">"),
    ("lifecycle-subject", "*.>"), ("lifecycle-subject", "instance.*"),
    ("lifecycle-subject", "instance.> "),
    ("node", "a b"), ("node", "a.b"), ("node", "*"), ("node", "n" * 129),
    ("engine-sockets", "docker.sock"), ("engine-sockets", "/run/docker.sock,"),
    ("engine-sockets", "tcp://127.0.0.1:2375"), ("engine-sockets", "/a," * 8 + "/a"),
    ("engine-sockets", "/" + "s" * 107),
    ("source", "docker"), ("source", ""), ("source", "AUTO"),
    ("log-level", "loud"), ("log-level", "3"),
    ("max-instances", "0"), ("max-instances", "10000001"), ("max-instances", "many"),
    ("max-pending-requests", "0"), ("max-pending-requests", "-5"),
    ("max-body-bytes", "1"), ("max-body-bytes", "1GiB"), ("max-body-bytes", "64 KiB"),
    ("max-tombstones", "-1"), ("max-tombstones", "x"),
    ("tombstone-ttl", "0"), ("tombstone-ttl", "366d"), ("tombstone-ttl", "1w"),
    ("max-output-bytes", "1"), ("max-output-bytes", "2GiB"),
    ("max-reply-points", "7"), ("max-reply-points", "1000001"),
    ("metrics-url-template", "{container_ip}"), ("metrics-url-template", "http://{ip}/"),
    ("metrics-url-template", "http://{id/"), ("metrics-url-template", "ftp://{node}/"),
    ("metrics-networks", ""), ("metrics-networks", "10.0.0.1/8"), ("metrics-networks", "host"),
    ("metrics-networks", "10.0.0.0/8,"), ("metrics-networks", "::ffff:0:0/96"),
    ("metrics-timeout", "0"), ("metrics-timeout", "2h"),
    ("metrics-ca", "/nonexistent"), ("metrics-ca", "/"),
    ("request-counter", "a b"), ("request-counter", "r" * 256),
    ("latency-histogram", "h{le=0.5}"),
    ("latency-quantile", ""), ("latency-quantile", "0"), ("latency-quantile", "1"),
    ("latency-quantile", "95"), ("latency-quantile", "0,95"),
    ("max-scrape-bytes", "1"), ("max-scrape-bytes", "1GiB"),
    ("max-scrape-series", "0"), ("max-scrape-series", "100001"),
    ("max-open-files", "-1"), ("max-open-files", "10000001"), ("max-open-files", "3/4"),
]


def environment_of(setting):
    return "NATS_URL" if setting == "server" else f"METERD_{setting.upper().replace('-', '_')}"


def assert_refused(ended, name, value):
    """Exit 2, and one line that names the setting, the value, and what it may be."""
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1 and ended.stderr.endswith("\n")
    assert name in ended.stderr
    assert value[:100].split("\r")[0] in ended.stderr
    assert re.search(r"may be|needs", ended.stderr)


@pytest.mark.parametrize("setting, value", WRONG)
def test_wrong_flag(setting, value):
    """Each wrong value of a flag, in both ways to write it."""
    assert_refused(run(METERD, f"--{setting}", value), f"--{setting}", value)
    assert_refused(run(METERD, f"--{setting}={value}"), f"--{setting}", value)


@pytest.mark.parametrize("setting, value", [(s, v) for s, v in WRONG if v])
def test_wrong_environment(setting, value):
    """Each wrong value in the environment; the line names the variable."""
    name = environment_of(setting)
    assert_refused(run(METERD, env={name: value}), name, value)


@pytest.mark.parametrize("arguments, names", [
    (["--bogus"], "--bogus"), (["-x"], "-x"), (["--interval"], "--interval"), (["-s"], "-s"),
    (["extra"], "extra"), (["--interval", "1s", "--", "extra"], "extra"), (["--help=1"], "--help")])
def test_wrong_arguments(arguments, names):
    """No such setting, no value, an argument too many: exit 2 and one line."""
    ended = run(METERD, *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert names in ended.stderr


@pytest.mark.parametrize("flags", [
    ["--subject-prefix", "instance"], ["--subject-prefix", "instance.metrics"],
    ["--lifecycle-subject", "metrics.>"], ["--lifecycle-subject", "metrics.instance.>"],
    ["--lifecycle-subject", "controlplane.>"], ["--control-prefix", "instance.control"],
    ["--subject-prefix", "a.b", "--lifecycle-subject", "a.>"]])
def test_would_hear_itself(flags):
    """Subjects: a prefix under which meterd would hear its own samples as events is refused."""
    ended = run(METERD, *flags)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "lifecycle-subject" in ended.stderr


@programs
def test_help(program):
    """--help: every setting with its default and variable, on standard output."""
    for flag in ("--help", "-h"):
        ended = run(program, flag)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "usage:" in ended.stdout
        assert "--server" in ended.stdout and "NATS_URL" in ended.stdout


def test_help_names_all():
    """--help lists all that can be set, and nothing is set by an environment it does not list."""
    text = run(METERD, "--help").stdout
    for setting in {setting for setting, _ in WRONG}:
        assert f"--{setting}" in text
        assert environment_of(setting) in text


@programs
def test_version(program):
    """--version: the version of meson.build; wrong settings beside it do not matter."""
    version = re.search(r"version: '([^']+)'", (ROOT / "meson.build").read_text())[1]
    ended = run(program, "--version")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"{program.name} {version}\n"


def test_environment(nats, meterd, bus, control_plane):
    """A setting from the environment counts; NATS_URL is the server."""
    running = meterd("--source", "bus", url=None, env={
        "NATS_URL": nats.url, "METERD_INTERVAL": FAST, "METERD_SUBJECT_PREFIX": "fromenv",
        "METERD_NODE": ""}, wait=False)
    running.wait_handles_signals()
    running.wait_stats("connected", lambda stats: stats["connected"])
    assert Api(bus, prefix="fromenv").list() == {"instances": [], "total": 0}


def test_flag_over_environment(meterd, bus):
    """A flag wins over the environment."""
    meterd("--subject-prefix", "fromflag", env={"METERD_SUBJECT_PREFIX": "fromenv",
                                                "NATS_URL": "nats://127.0.0.1:1"})
    assert Api(bus, prefix="fromflag").list()["total"] == 0


def test_several_servers(nats, meterd):
    """--server: several, separated by commas; one that is not there does no harm."""
    running = meterd(url=f"nats://127.0.0.1:1,{nats.url}", wait=False)
    running.wait_handles_signals()
    running.wait_stats("connected", lambda stats: stats["connected"])


def test_log_level(meterd):
    """--log-level: at error nothing is written while all is well."""
    running = meterd("--log-level", "error")
    assert running.terminate() == 0
    assert running.log() == ""


def test_closed_standard_files(meterd):
    """Started without standard files: the log goes nowhere, not into what got their numbers instead."""
    running = meterd(under=["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"])
    for number in range(3):
        assert os.readlink(f"/proc/{running.pid}/fd/{number}") == "/dev/null"
