"""Connections that the platform opens to addresses outside: one guard for all of them."""
