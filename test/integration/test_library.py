"""The store installed: its headers, its archive and its pkg-config file are all that a program needs."""

import os
import shlex
import subprocess

from processes import ROOT

SOURCE = ROOT / "test/integration/library_user.c"


def run(*argv, **how):
    return subprocess.run([str(arg) for arg in argv], check=True, capture_output=True, text=True, **how).stdout


def install(tmp_path):
    """An installation of an optimised build of its own, without sanitizers."""
    build, prefix = tmp_path / "build", tmp_path / "prefix"
    run("meson", "setup", "-Dtests=disabled", f"--prefix={prefix}", "--libdir=lib", build, ROOT)
    run("ninja", "-C", build, "install")
    return prefix


def test_a_program_builds_with_pkg_config_alone(tmp_path):
    prefix = install(tmp_path)
    env = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")}
    flags = shlex.split(run("pkg-config", "--cflags", "--libs", "meterstore", env=env))
    program = tmp_path / "user"

    run("cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", SOURCE, "-o", program, *flags)
    rows = [line.split() for line in run(program).splitlines()]
    assert len(rows) == 24
    assert [int(row[0]) for row in rows] == [hour * 3600000 for hour in range(24)]
    assert all(row[1] == "360" and abs(float(row[2]) - 359) <= 360 / 2048 for row in rows)
    assert (prefix / "bin/meterd").exists() and (prefix / "bin/meterctl").exists()


def test_the_example_is_that_of_readme():
    code = SOURCE.read_text().split("#include <ring.h>\n", 1)[1].strip()
    assert code in (ROOT / "README.md").read_text(), "README shows another program than the one that is tested"
