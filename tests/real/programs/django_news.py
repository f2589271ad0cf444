"""Serves the Django application on a port of its own choice."""

import os
import tempfile
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
import witness
from django.conf import settings

settings.configure(
    DEBUG=False,
    SECRET_KEY="for this test only",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="news.views",
    INSTALLED_APPS=["news"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware", "news.middleware.Audit"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.path.join(tempfile.mkdtemp(), "news.sqlite3"),
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
)
django.setup()


class Quiet(WSGIRequestHandler):
    def log_message(self, format, *args):
        pass


def main():
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    call_command("migrate", run_syncdb=True, verbosity=0)
    server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)
    print(server.server_port, flush=True)
    witness.start()
    server.serve_forever()


if __name__ == "__main__":
    main()
