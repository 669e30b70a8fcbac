"""Every write leaves evidence, or nothing happened."""

import pytest

from haitang.support.security.people.models import Organization


@pytest.mark.django_db
def test_the_database_is_real() -> None:
    Organization.objects.create(id="ecology", title="生态环境局", fills=["ecology_bureau"])
    assert Organization.objects.get(fills__contains=["ecology_bureau"]).title == "生态环境局"
