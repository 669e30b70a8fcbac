"""Root's engines run as an ordinary user, who reaches what lies in root's own folders and may do no more."""

import os
import subprocess
from pathlib import Path

import pytest

from haitang.support.infrastructure.embedded.unprivileged import prefix


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts engines as another user")
def test_a_program_in_a_folder_of_roots_own_is_found_as_postgresql_looks_for_it(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir(mode=0o700)
    program = own / "program"
    program.write_text("#!/bin/sh\nid -u; grep CapEff /proc/self/status\n")
    program.chmod(0o755)
    plain = prefix(program)
    assert subprocess.run([*plain, "test", "-x", program], cwd="/").returncode == 0  # asks access(2)
    user, effective = subprocess.run([*plain, program], cwd="/", capture_output=True, text=True, check=True).stdout.splitlines()
    assert user != "0"
    assert int(effective.split()[1], 16) in (1 << 2, 1 << 1)
