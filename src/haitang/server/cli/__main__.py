import sys

from haitang.server import handover
from haitang.server.cli import main

handover.arguments = sys.argv[1:]
main(prog_name="haitang")
