"""Django's own commands for developers (makemigrations); the product's command is ./haitang."""

import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "haitang.server.django_settings")
execute_from_command_line(sys.argv)
