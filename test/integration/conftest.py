"""Fixtures: the real nats-server, meterd, and what stands around them. Each test has its own."""

import os
import secrets

import pytest

import cgroups
import containers
import workers
from controlplane import ControlPlane
from load import Backend, Load
from messages import Api, Watch
from processes import METERD, Meterd, NatsServer, running


def pytest_configure():
    if not METERD.exists():
        pytest.exit(f"no meterd at {METERD}: build it, or name one in METERD", returncode=2)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    """A failing test shows the log of everything that runs."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for process in sorted(running, key=lambda process: process.pid):
            report.sections.append((f"log of {process.name} {process.pid}", process.log()))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """The engines of all test processes have ended: what they had in common is removed by the first."""
    if not hasattr(session.config, "workerinput"):
        containers.remove_parent(containers.DEFAULT_PARENT)


def close_all(things):
    """Ends all, the latest first; the first failure is raised after all have ended."""
    failures = []
    for thing in reversed(things):
        try:
            thing.close()
        except AssertionError as failure:
            failures.append(failure)
    if failures:
        raise failures[0]


@pytest.fixture
def nats_server(tmp_path):
    """Factory of nats-servers, with the text of a configuration file."""
    servers = []

    def start(config=""):
        directory = tmp_path / f"nats-{len(servers)}"
        directory.mkdir()
        servers.append(NatsServer(directory, config))
        return servers[-1]

    yield start
    close_all(servers)


@pytest.fixture
def nats(nats_server):
    return nats_server()


@pytest.fixture
def bus(nats):
    """A client of that nats-server."""
    return nats.connect()


@pytest.fixture
def meterd(nats, tmp_path):
    """Factory of meterds on that nats-server, ready when they are handed out."""
    started = []

    def start(*args, url=nats.url, env=None, wait=True, under=()):
        log = tmp_path / f"meterd-{len(started)}.log"
        started.append(Meterd(args, log, url, env, under))
        if wait:
            started[-1].wait_ready()
        return started[-1]

    yield start
    close_all(started)


@pytest.fixture
def encoding():
    """Tests that are about both encodings parametrize this."""
    return "protobuf"


@pytest.fixture
def api(bus, encoding):
    return Api(bus, encoding)


@pytest.fixture
def watch(bus):
    """Factory of watchers of samples."""
    return lambda instance="*": Watch(bus, instance)


@pytest.fixture
def control_plane(nats, encoding):
    return ControlPlane(nats.connect(), encoding)


@pytest.fixture(scope="session")
def worker_program(tmp_path_factory):
    return workers.build(tmp_path_factory.mktemp("worker"))


@pytest.fixture
def worker(worker_program, new_cgroup):  # they end before the cgroups they live in are removed
    """Factory of processes; the arguments are those of workers.Worker."""
    started = []

    def start(**how):
        started.append(workers.Worker(worker_program, **how))
        return started[-1]

    yield start
    for each in started:
        each.kill()


@pytest.fixture(scope="session")
def engine(tmp_path_factory, worker_program):
    """Of containers; the tests are skipped where none can run."""
    try:
        started = containers.Engine(tmp_path_factory.mktemp("engine"), worker_program)
    except OSError as why:
        pytest.skip(f"no container can run here: {why}")
    started.add_bridge()
    yield started
    started.close()


@pytest.fixture
def container(engine):
    """Factory of containers; the arguments are those of Engine.run()."""
    names = []

    def start(name="one", *options, **how):
        names.append(name)
        return engine.run(name, *options, **how)

    yield start
    if names:
        engine.remove(*names)


@pytest.fixture
def new_cgroup():
    """Factory of cgroups. Those above that are not there yet are made, too; all of them are removed."""
    made = []

    def make(path, hierarchies=cgroups.HERE):
        if reason := cgroups.why_not(hierarchies):
            pytest.skip(reason)
        parts = path.strip("/").split("/")
        for depth in range(1, len(parts) + 1):
            each = cgroups.Cgroup("/".join(parts[:depth]), hierarchies)
            if depth == len(parts) or not each.is_there():
                each.make()
                made.append(each)
        return each

    yield make
    for each in reversed(made):
        each.remove()


@pytest.fixture
def cgroup(request, new_cgroup, tmp_path):
    """A cgroup of the test's own; its parameter says in which hierarchies."""
    name = f"meterd-test-{os.getpid()}-{abs(hash(tmp_path))}"
    return new_cgroup(name, getattr(request, "param", cgroups.HERE))


@pytest.fixture
def contained(worker, cgroup):
    """Factory of workers that live in the cgroup."""
    def start(**how):
        process = worker(**how)
        cgroup.add(process.pid)
        return process
    return start


@pytest.fixture
def container_cgroup(cgroup, new_cgroup):
    """A cgroup below that of the test, named as systemd names a container's."""
    return new_cgroup(f"{cgroup.path}/docker-{secrets.token_hex(32)}.scope", cgroup.hierarchies)


@pytest.fixture
def exporter(tmp_path):
    """Factory of programs with a page of metrics: a function of exporters.py and what it takes."""
    started = []

    def start(program, *args):
        directory = tmp_path / f"{program.__name__}-{len(started)}"
        directory.mkdir()
        started.append(program(directory, *args))
        return started[-1]

    yield start
    for each in started:
        each.kill()


@pytest.fixture
def backend():
    """A server that is slow now and then."""
    started = Backend()
    yield started
    started.close()


@pytest.fixture
def load(exporter):  # it ends before what it is put on
    """Factory of loads; the arguments are those of load.Load."""
    started = []

    def start(url, **how):
        started.append(Load(url, **how))
        return started[-1]

    yield start
    for each in started:
        each.close()
