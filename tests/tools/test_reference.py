"""The reference pages say what the code says."""

import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[2]


def test_reference_pages_are_fresh() -> None:
    done = subprocess.run([sys.executable, "tools/reference.py", "--check"], cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
