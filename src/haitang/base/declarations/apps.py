"""Declarations as a Django application: releases, admissions and edits are tables."""

from django.apps import AppConfig


class DeclarationsConfig(AppConfig):
    name = "haitang.base.declarations"
    label = "declarations"
