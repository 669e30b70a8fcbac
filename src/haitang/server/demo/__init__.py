"""The demonstration: made-up people, a replayed history and live feed, cases at every stage. Nothing of it can be mistaken for real."""
