"""Templates of the room; its tables stand with the things."""

from django.apps import AppConfig


class GroupsConfig(AppConfig):
    name = "haitang.support.infrastructure.groups"
    label = "thing_groups"
