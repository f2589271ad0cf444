"""What is kept in the database."""

from django.db import models


class Article(models.Model):
    title = models.CharField(max_length=80)
    price = models.DecimalField(max_digits=8, decimal_places=2, default="9.99")
    made = models.DateTimeField(auto_now_add=True)
