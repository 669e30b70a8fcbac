"""Jobs of the ledger."""

from procrastinate.contrib.django import app

from haitang.base.actions import acting, system
from haitang.support.security.evidence.archive_checks import CHECK, check_archive
from haitang.support.security.evidence.models import Archive


@app.task(name=CHECK)
def check(first_seal: int) -> None:
    """Somebody asked whether this archive still holds."""
    with acting(system("sealer")) as act:
        check_archive(act=act, found=Archive.objects.get(first_seal=first_seal))
