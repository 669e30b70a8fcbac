from haitang.server.cli import main

main(prog_name="haitang")
