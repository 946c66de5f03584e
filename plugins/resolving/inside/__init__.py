"""The resolver as it runs in its jail: standard library, ``packaging`` and ``resolvelib`` only.

It has no network. What it needs of the index it asks the host for, over the socket that started it
(``channel``), and its answer is one JSON object on standard output (``command``).
"""
