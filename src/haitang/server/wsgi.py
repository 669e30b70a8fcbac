"""The WSGI application of the control plane."""

from haitang.server.boot import boot

boot()

from django.core.wsgi import get_wsgi_application  # noqa: E402  (Django is set up by boot)

application = get_wsgi_application()
