"""meterctl probe: how an instance of this machine is found and read, without a server.

Real cgroups and processes; the container engine is the stand-in of engines.py, and a real one in
test_container_names.py.
"""

import json
import os

import pytest

import workload as workloads
from cgroups import IS_V2, id_of
from engines import STOPPED, Engine, running
from meterctl import NOWHERE, ctl, fails, output_of, rows_of

WAYS = ["cgroup_path", "pid", "container_id", "container_name"]
if IS_V2:
    MEMORY, USED, LIMIT, CPU = "unified", "memory.current", "memory.max", "cpu.stat"
else:
    MEMORY, USED, LIMIT, CPU = "memory", "memory.usage_in_bytes", "memory.stat", "cpuacct.usage"
FILES = {USED, LIMIT, CPU}
NO_ENGINE = {"METERD_ENGINE_SOCKETS": "none"}


@pytest.fixture
def engine():
    made = Engine().start()
    yield made
    made.close()


def probe(*args, env=None):
    """What it says as JSON; it found something and could read it."""
    return json.loads(output_of(NOWHERE, "probe", "-o", "json", *args, env={**NO_ENGINE, **(env or {})}))


def found_nothing(*args, env=None):
    done = ctl(NOWHERE, "probe", "-o", "json", *args, env={**NO_ENGINE, **(env or {})})
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert done.stderr == f"meterctl: {said['error']}\n"
    assert "sample" not in said and "bound" not in said
    return said


def result_of(said, way):
    return [each["result"] for each in said["ways"] if each["way"] == way]


def names_of_files(said):
    return {os.path.basename(each["path"]) for each in said["files"]}


def test_process(worker):
    """A process in its parent's cgroup: why not the cgroup, what was read, rates over the span."""
    process = worker(duty=50)
    said = probe("--pid", process.pid, "--span", "2s")
    assert [each["way"] for each in said["ways"]] == ["cgroup_path", "pid", "process"]
    assert result_of(said, "process") == [f"process {process.pid}"] == [said["bound"]]
    assert said["source"] == "process"
    assert {"stat", "status", "net"} <= names_of_files(said)
    assert said["sample"]["memory_used_bytes"] > 0
    assert 5 < said["sample"]["cpu_percent"] < 101
    assert "network_in_bytes_per_sec" not in said["sample"]


def test_process_with_children(worker):
    said = probe("--source", "process", "--process-children", "--pid", worker().pid, "--span", "0")
    assert result_of(said, "process") and "cpu_percent" not in said["sample"]
    assert any("1 processes and 1 threads" in each["found"] for each in said["files"])


def test_cgroup(cgroup, contained):
    """Each file and what was taken from it, as the kernel has it."""
    process = contained(duty=50, own_network=True)
    cgroup.limit_memory(64 << 20)
    for args in ("--cgroup", cgroup.path), ("--pid", process.pid):
        said = probe(*args)
        assert said["bound"] == f"cgroup {cgroup.path}"
        assert names_of_files(said) == FILES | {"memory.stat", "net", "dev"}
        found = {each["path"]: each["found"] for each in said["files"]}
        directory = cgroup.directories[MEMORY]
        assert f"{64 << 20}" in found[f"{directory}/{LIMIT}"]
        assert f"{said['sample']['memory_used_bytes']}" in found[f"{directory}/{USED}"]
        assert found[f"/proc/{process.pid}/ns/net"].endswith(", its own")
        assert said["sample"]["memory_limit_bytes"] == 64 << 20
        assert said["sample"]["network_in_bytes_per_sec"] == 0
    assert result_of(said, "cgroup_path") == ["not given"]


def test_name_is_not_printable(cgroup, new_cgroup, worker):
    """Who makes a cgroup may call it what he likes: no terminal takes orders from it."""
    hostile = new_cgroup(os.fsdecode(os.fsencode(cgroup.path) + b"/\x1b[31m\xff"))
    process = worker()
    hostile.add(process.pid)
    shown = f"cgroup {cgroup.path}/?[31m?"
    said = probe("--pid", process.pid, "--span", "0")
    assert said["bound"] == shown and result_of(said, "pid") == [shown]
    for form in "table", "csv":
        text = output_of(NOWHERE, "probe", "--pid", process.pid, "--span", "0", "-o", form, env=NO_ENGINE)
        assert text.isascii() and text.replace("\n", "").isprintable()


def test_container_id(container_cgroup, worker):
    container_cgroup.add(worker().pid)
    said = probe("--container", id_of(container_cgroup)[:12])
    assert said["bound"] == f"cgroup {container_cgroup.path}"
    assert [each["way"] for each in said["ways"]] == WAYS[:3]


@pytest.mark.parametrize("args, name", [(["--container", "web"], "web"), (["one"], "cp-one")],
                         ids=["said", "of the instance"])
def test_container_name(engine, container_cgroup, worker, args, name):
    process = worker()
    container_cgroup.add(process.pid)
    engine.containers[name] = running(id_of(container_cgroup), process.pid)
    said = probe(*args, "--engine-sockets", engine.path)
    assert said["bound"] == f"cgroup {container_cgroup.path}"
    assert [each["way"] for each in said["ways"]] == WAYS
    assert engine.questions == [name]


@pytest.mark.parametrize("mode", ["good", "stopped", "silent", "garbage", "error", "huge"])
def test_engine_does_not_help(engine, mode):
    """Whatever an engine does: it ends, with a sentence that names it."""
    if mode == "stopped":
        engine.containers["web"] = STOPPED
    elif mode != "good":
        engine.mode = mode
    said = found_nothing("--container", "web", "--engine-sockets", engine.path)
    assert result_of(said, "container_name") == [said["error"]]
    assert engine.path in said["error"]


@pytest.fixture
def workload():
    with workloads.running() as one:
        yield one


@pytest.mark.parametrize("mode", ["good", "gzip", "openmetrics"])
def test_page(workload, worker, mode):
    """The families that were found, and what they say over the span; beside a process, or alone."""
    workload.mode = mode
    for args in [["--pid", worker().pid], []]:
        said = probe("--metrics-url", workload.url(), *args)
        assert said["sample"]["requests_per_sec"] > 0 and said["sample"]["latency_p95_ms"] > 0
        assert ("memory_used_bytes" in said["sample"]) == bool(args)
        page = said["files"][-1]
        assert page["path"] == workload.url()
        assert f"requests: {workload.counter}; latency: {workload.histogram}" in page["found"]


def test_first_page(workload):
    """One page says no rate, and why."""
    said = probe("--metrics-url", workload.url(), "--span", "0")
    assert "no page before" in said["files"][-1]["found"]
    assert "requests_per_sec" not in said["sample"]


@pytest.mark.parametrize("mode, why", [
    ("not_found", "HTTP status 404"), ("redirect", "HTTP status 302"), ("binary", ""), ("huge", "bytes"),
    ("silent", "within 500 ms"), ("drip", "within 500 ms"), ("early", "")])
def test_bad_page(workload, worker, mode, why):
    """Alone it is a failure; beside what can be read the rest is told."""
    workload.mode = mode
    args = ["--metrics-url", workload.url(), "--metrics-timeout", "500ms", "--span", "0"]
    assert why in found_nothing_on(*args)["error"]
    said = probe(*args, "--pid", worker().pid)
    assert why in said["files"][-1]["found"] and "requests_per_sec" not in said["sample"]


def found_nothing_on(*args):
    done = ctl(NOWHERE, "probe", "-o", "json", *args, env=NO_ENGINE)
    assert done.returncode == 1
    return json.loads(done.stdout)


def test_page_is_not_allowed(workload):
    said = found_nothing_on("--metrics-url", workload.url(), "--metrics-networks", "10.0.0.0/8")
    assert "127.0.0.1 is not allowed" in said["error"]


def test_not_found():
    """Each way that was tried says why it did not fit."""
    said = found_nothing("--pid", 2147483647, "--container", "0123456789ab")
    assert [each["way"] for each in said["ways"]] == ["cgroup_path", "pid", "process", *WAYS[2:]]
    assert result_of(said, "pid") == ["there is no process 2147483647"]
    assert "was not found" in result_of(said, "container_id")[0]


def test_path_is_final():
    """As in meterd, nothing else is tried where a path was given."""
    said = found_nothing("--cgroup", "/nowhere/at/all", "--pid", os.getpid())
    assert [each["way"] for each in said["ways"]] == ["cgroup_path"]
    assert said["error"] == "there is no cgroup /nowhere/at/all"


def test_forms(worker):
    """The table and the CSV say the same."""
    pid = str(worker().pid)
    rows = rows_of(output_of(NOWHERE, "probe", "--pid", pid, "--span", "0", "-o", "csv", env=NO_ENGINE))
    assert list(rows[0]) == ["what", "name", "value"]
    assert {row["what"] for row in rows} == {"way", "source", "file", "sample"}
    assert any(row["name"] == "memory_used_bytes" for row in rows)
    table = output_of(NOWHERE, "probe", "--pid", pid, "--span", "0", env=NO_ENGINE)
    for text in "WAY", "FILE", "CPU%", f"/proc/{pid}/stat ", f"process {pid}\n":
        assert text in table


@pytest.mark.parametrize("args, error", [
    ([], "probe: nothing to look for: .*"),
    (["--pid", "0"], "--pid: '0' is not what it may be: 1 to 2147483647"),
    (["--pid", "1", "--span", "2h"], "--span: '2h' is not what it may be: 0 to 1h"),
    (["--pid", "1", "--span", "-1s"], "--span: '-1s' is not what it may be: 0 to 1h"),
    (["--pid", "1", "--host-root", "/nowhere"], "--host-root: '/nowhere' is not what it may be: .*"),
    (["a b"], "ID: 'a b' is not what it may be: .*"),
])
def test_usage(args, error):
    fails(ctl(NOWHERE, "probe", *args), 2, error)


def test_settings_are_the_probe_s():
    """Other commands neither take them nor mind them in the environment."""
    fails(ctl(NOWHERE, "ls", "--host-root", "/"), 2, "--host-root: no such option .*")
    wrong = {"METERD_HOST_ROOT": "/nowhere"}
    assert "host-root" not in ctl(NOWHERE, "ls", "--timeout", "10ms", env=wrong).stderr
    fails(ctl(NOWHERE, "probe", "--pid", "1", env=wrong), 2, "METERD_HOST_ROOT: '/nowhere' is not .*")
