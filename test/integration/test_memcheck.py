"""Under valgrind: hundreds of cgroups come and go, and nothing of them stays.

Needs a meterd without AddressSanitizer, which valgrind cannot run: test/uml/run has one.
"""

import shutil
from collections import Counter

import pytest

from processes import METERD, eventually

ROUNDS = 3
AT_ONCE = 100  # cgroups tracked at a time
DEADLINE = 60  # valgrind is some 30 times slower
MEMCHECK = ("valgrind", "--vgdb=no", "--leak-check=full", "--error-exitcode=99", "--num-callers=30")

pytestmark = [
    pytest.mark.skipif(not shutil.which("valgrind"), reason="there is no valgrind"),
    pytest.mark.skipif(b"__asan_init" in METERD.read_bytes(),
                       reason="valgrind cannot run a meterd that was built with AddressSanitizer"),
]


def one_life(life, api, samples, cgroups):
    """Tracked, sampled, a third of them removed while they are, untracked."""
    ids = [f"{life}-{number}" for number in range(len(cgroups))]
    for instance, cgroup in zip(ids, cgroups):
        api.track(instance, cgroup_path=cgroup.path)

    def sampled_twice():
        seen = Counter(instance for instance, _ in samples.received())
        return all(seen[instance] >= 2 for instance in ids)

    eventually("two samples of each", sampled_twice, DEADLINE)
    for cgroup in cgroups[::3]:
        cgroup.remove()
    eventually("those that were removed fail", lambda: set(ids[::3]) == {
        name for name, entry in api.entries().items() if "last_error" in entry}, DEADLINE)
    for instance in ids:
        api.untrack(instance)
    eventually("all are forgotten", lambda: api.list()["total"] == 0, DEADLINE)


def test_nothing_stays(meterd, api, watch, cgroup, new_cgroup):
    """No bad access, nothing on the heap, no descriptor, after hundreds of lives."""
    service = meterd("--interval", "1s", under=MEMCHECK, wait=False)
    service.wait_ready(DEADLINE)
    samples = watch()
    service.stats()
    before = service.descriptors()
    for life in range(ROUNDS):
        one_life(life, api, samples, [new_cgroup(f"{cgroup.path}/{life}-{number}")
                                      for number in range(AT_ONCE)])
        assert service.stats()["files_kept"] == 0
        assert service.descriptors() == before
    assert service.last_stats()["readings_reopened"] == 0  # all files were kept open
    assert service.terminate() == 0
    assert "All heap blocks were freed" in service.log()
    assert "ERROR SUMMARY: 0 errors" in service.log()
