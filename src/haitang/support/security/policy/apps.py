"""Registers the policy."""

from django.apps import AppConfig

from haitang.base import ports


class PolicyConfig(AppConfig):
    name = "haitang.support.security.policy"
    label = "policy"

    def ready(self) -> None:
        from haitang.base.declarations import release
        from haitang.support.security.policy import tree
        from haitang.support.security.policy.decide import CedarPolicy
        from haitang.support.security.policy.refusals import KeptRefusals
        from haitang.support.security.policy.second_key import SecurityAdministrator

        release.looks.append(tree.look)
        ports.policy.register(CedarPolicy())
        ports.refusals.register(KeptRefusals())
        ports.second_key.register(SecurityAdministrator())
