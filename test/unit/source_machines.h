/*
 * source_machines - planted machines to read cgroups of. Each has MemTotal 1,000,000 KiB and the
 * cgroup /d/x, with 5 s of CPU time, 700 bytes of memory used and a limit of 5,000.
 */
#ifndef METER_TEST_SOURCE_MACHINES_H
#define METER_TEST_SOURCE_MACHINES_H

#include "source_tree.h"

static TREE_UNUSED void plant_machine(const char *mountinfo)
{
	tree_put("/proc/1/mountinfo", mountinfo);
	tree_put("/proc/meminfo", "MemTotal:        1000000 kB\nMemFree:          1 kB\n");
	tree_link("/proc/1/ns/net", "net:[1]");
	tree_link("/proc/self/ns/net", "net:[1]");
}

#define MOUNT_CPU "1 0 0:1 / /cg/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
#define MOUNT_MEMORY "2 0 0:2 / /cg/memory rw - cgroup cgroup rw,memory\n"
#define MOUNT_SYSTEMD "3 0 0:3 / /cg/systemd rw - cgroup cgroup rw,name=systemd\n"
#define MOUNT_V2_BESIDE "4 0 0:4 / /cg/unified rw - cgroup2 cgroup2 rw\n"
#define MOUNT_V2 "4 0 0:4 / /cg rw - cgroup2 cgroup2 rw\n"

static TREE_UNUSED void plant_v1(void)
{
	plant_machine(MOUNT_CPU MOUNT_MEMORY MOUNT_SYSTEMD);
	tree_put("/cg/cpu/d/x/cpuacct.usage", "5000000123\n");
	tree_put("/cg/memory/d/x/memory.usage_in_bytes", "1000\n");
	tree_put("/cg/memory/d/x/memory.stat", "inactive_file 1\nhierarchical_memory_limit 5000\n"
					       "total_inactive_file 300\n");
}

static TREE_UNUSED void plant_v2(void)
{
	plant_machine(MOUNT_V2);
	tree_put("/cg/d/x/cpu.stat", "usage_usec 5000000\nuser_usec 1\nsystem_usec 2\n");
	tree_put("/cg/d/x/memory.current", "1000\n");
	tree_put("/cg/d/x/memory.stat", "anon 1\nfile 2\ninactive_file 300\nactive_file 7\n");
	tree_put("/cg/d/x/memory.max", "5000\n");
	tree_put("/cg/d/memory.max", "max\n");
}

/* v1 memory; CPU accounting is off, so the service exists in no other hierarchy but v2's. */
static TREE_UNUSED void plant_hybrid(void)
{
	plant_machine(MOUNT_CPU MOUNT_MEMORY MOUNT_V2_BESIDE);
	tree_put("/cg/cpu/d/cpuacct.usage", "9\n");
	tree_put("/cg/memory/d/x/memory.usage_in_bytes", "1000\n");
	tree_put("/cg/memory/d/x/memory.stat", "total_inactive_file 300\n"
					       "hierarchical_memory_limit 5000\n");
	tree_put("/cg/unified/d/x/cpu.stat", "usage_usec 5000000\n");
}

/* What is seen from inside of a container without its own cgroup namespace. */
static TREE_UNUSED void plant_inside(void)
{
	plant_v1();
	tree_put("/proc/1/mountinfo",
		 "1 0 0:1 /docker/me /cg/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
		 "2 0 0:2 /docker/me /cg/memory rw - cgroup cgroup rw,memory\n");
}

#endif
