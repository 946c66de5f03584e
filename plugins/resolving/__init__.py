"""Python dependencies of a version: from names and constraints to a lock of checked wheels.

What reads a stranger's index pages and metadata runs in a jail (``inside``); the worker around it
only fetches (``broker``), checks and stores (``wheels``), and keeps the rows (``attempts``).
"""
