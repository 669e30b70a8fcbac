"""Screens on a wall: an identity that only reads, sees only the wall, and stays signed in until a day that was set."""
