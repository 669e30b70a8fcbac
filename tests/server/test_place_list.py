"""The places of a checkout, without an instance."""

from tests.server.instances import haitang


def test_places_are_listed_without_an_instance() -> None:
    ran = haitang("place", "list", "--json")
    assert ran.returncode == 0, ran.stderr
    assert '"dazu"' in ran.stdout
