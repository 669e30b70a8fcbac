"""Organizations as they are now: their names, and under which they stand."""
