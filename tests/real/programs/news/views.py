"""One view; each request adds a signal handler that nobody takes off."""

from django.db.models.signals import post_save
from django.http import JsonResponse
from django.urls import path

from news.models import Article


def publish(request):
    article = Article.objects.create(title=f"Article {Article.objects.count()}")

    def on_save(sender, **kwargs):
        return article

    post_save.connect(on_save, weak=False)
    if article.pk > 20:
        post_save.receivers = post_save.receivers[-20:]
    return JsonResponse({"id": article.pk})


urlpatterns = [path("login", publish)]
