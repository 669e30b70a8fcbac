"""Benchmarks of the shipped path: `./haitang bench NAME`. Each module here has `TITLE` and `run(options) -> list[Figure]`; none is a test."""
