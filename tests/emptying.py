"""Tables emptied after a test of real transactions.

Django's own way truncates every table and makes its permissions and content types anew, which took longer than most tests. Only what has rows is emptied here, with the
triggers off: the ledger refuses it otherwise, and references need no looking up where all goes.
"""

from typing import Any

from django.db import connection
from django.test import TransactionTestCase


def use() -> None:
    """From now on, in this process."""
    TransactionTestCase._fixture_teardown = _empty  # type: ignore[attr-defined]


def _empty(_: Any) -> None:
    quote = connection.ops.quote_name
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    with connection.cursor() as cursor:
        cursor.execute(" union all ".join(f"select '{name}' where exists (select from {quote(name)})" for name in names))
        found = [name for (name,) in cursor.fetchall()]
        if found:
            deletes = "; ".join(f"delete from {quote(name)}" for name in found)
            cursor.execute(f"begin; set local session_replication_role = replica; {deletes}; commit")
