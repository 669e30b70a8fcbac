"""Writes about organizations that are there already; new ones come with the place's folder (`seed`)."""

from haitang.base.actions import Act, action
from haitang.base.errors import error
from haitang.support.security.people.actions import NO_SUCH_ORGANIZATION
from haitang.support.security.people.models import Organization

BELOW_ITSELF = error("people.organization_below_itself", 409, "“{title}”不能归到自己或自己的下级机构之下。")
NO_TITLE = error("people.no_organization_title", 400, "请填写机构名称，最多 200 个字。")
BAD_DIVISION = error("people.bad_division_code", 400, "行政区划代码应为 2 至 12 位数字，或不填。")


@action("people.change_organization", title="调整机构", fresh=True)
def change_organization(*, act: Act, organization: Organization, title: str, parent: str = "", division: str = "") -> None:
    """Name, division and the organization above. Policies that speak of an organization and those under it follow within two seconds."""
    title, division = title.strip(), division.strip()
    if not 0 < len(title) <= 200:
        raise NO_TITLE()
    if division and not (division.isascii() and division.isdigit() and 2 <= len(division) <= 12):
        raise BAD_DIVISION()
    list(Organization.objects.select_for_update().order_by("id"))  # two moves at once must not close a circle
    _refuse_circle(organization, parent)
    before = {"parent": organization.parent_id, "division": organization.division}
    organization.title, organization.parent_id, organization.division = title, parent or None, division
    organization.save(update_fields=["title", "parent", "division"])
    act.record("organization", organization.pk, {"from": before, "parent": parent or None, "division": division})


def _refuse_circle(organization: Organization, parent: str) -> None:
    above = dict(Organization.objects.values_list("id", "parent_id"))
    if parent and parent not in above:
        raise NO_SUCH_ORGANIZATION(organization=parent)
    while parent:
        if parent == organization.pk:
            raise BELOW_ITSELF(title=organization.title)
        parent = above[parent] or ""
