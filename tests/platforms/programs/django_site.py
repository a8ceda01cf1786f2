"""A site of Django's own parts, as its documentation puts them together: articles, comments, log-ins, admin pages.

``python django_site.py migrate`` makes the database; ``… serve PORT`` serves it. ``SITE_FOLDER``: where it is.
"""

import os
import sys
from pathlib import Path

import django
from django.conf import settings

FOLDER = Path(os.environ["SITE_FOLDER"])
HEAD = "<!doctype html><title>{{ title }}</title>"
PAGES = {
    "article.html": HEAD + "{% load comments %}<h1>{{ article.name }}</h1><p id=reader>{{ request.user.username }}</p>"
    "{% get_comment_list for article as comments %}{% for one in comments %}"
    "<article id=c{{ one.id }}><b>{{ one.name }}</b><div>{{ one.comment }}</div></article>{% endfor %}"
    "{% render_comment_form for article %}",
    "registration/login.html": HEAD + "<form method=post>{% csrf_token %}{{ form.as_p }}<button>in</button></form>",
    "base.html": HEAD + "{% block content %}{% endblock %}",
}

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "site.sqlite3"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=[
        "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.messages",
        "django.contrib.sessions", "django.contrib.sites", "django_comments", "rest_framework", "dj_rest_auth",
    ],
    LOGIN_REDIRECT_URL="/articles/1/",
    LOGOUT_REDIRECT_URL="/articles/1/",
    MEDIA_ROOT=FOLDER,
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware", "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    REST_AUTH={"TOKEN_MODEL": None},
    ROOT_URLCONF=__name__,
    SECRET_KEY="of a test",
    SITE_ID=1,
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ],
                "loaders": [
                    ("django.template.loaders.locmem.Loader", PAGES), "django.template.loaders.app_directories.Loader",
                ],
            },
        }
    ],
    USE_TZ=True,
)  # fmt: skip
django.setup()

from django.contrib import admin  # noqa: E402
from django.contrib.sites.models import Site  # noqa: E402
from django.shortcuts import get_object_or_404, render  # noqa: E402
from django.urls import include, path  # noqa: E402


def article(request, number):
    """Sites stand for articles: any object can be commented on."""
    return render(request, "article.html", {"article": get_object_or_404(Site, pk=number)})


def attached(request):
    """Takes a file, and says how long it was."""
    file = request.FILES["file"]
    return render(request, "base.html", {"title": f"{file.name}: {len(file.read())} bytes"})


urlpatterns = [
    path("accounts/", include("django.contrib.auth.urls")),
    path("admin/", admin.site.urls),
    path("articles/<int:number>/", article),
    path("attach/", attached),
    path("auth/", include("dj_rest_auth.urls")),
    path("comments/", include("django_comments.urls")),
]


def migrate(people: list[str]) -> None:
    """The database, one article, and these people: name and password are the same, ``root`` may all."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    Site.objects.update_or_create(pk=1, defaults={"domain": "site.example", "name": "Seven"})
    for name in people:
        make = get_user_model().objects
        (make.create_superuser if name == "root" else make.create_user)(name, f"{name}@site.example", name)


def serve(port: str) -> None:
    """As a site of some size is served."""
    import waitress
    from django.core.wsgi import get_wsgi_application

    waitress.serve(get_wsgi_application(), host="127.0.0.1", port=int(port), threads=8)


if __name__ == "__main__":
    sys.modules["django_site"] = sys.modules["__main__"]
    migrate(sys.argv[2:]) if sys.argv[1] == "migrate" else serve(sys.argv[2])
