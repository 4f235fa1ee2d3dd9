"""Django's backend for SQLite, with inserts that are over when they return.

Django asks an INSERT for the new row's key, and SQLite holds the database's one lock for writers
until that answer is fetched: under load, until another thread has given way to this one. The key
of the last insert is known without asking.
"""

from __future__ import annotations

from django.db.backends.sqlite3 import base, features


class DatabaseFeatures(features.DatabaseFeatures):
    can_return_columns_from_insert = False  # and so of no more than one row


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = DatabaseFeatures
