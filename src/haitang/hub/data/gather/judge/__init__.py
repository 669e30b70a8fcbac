"""Judging rows: which can be accepted, as what values, and every reason why the others cannot. Columns at a time, never a row at a time."""
