"""Runs untrusted code under limits.

Plain values in and out; no models, no settings, nothing of Django.

The public names are in the modules: ``spec`` (what to run), ``result`` (how it ended), ``jail``
(JailSettings), ``pool`` (VersionPool), ``budget``, ``oneshot`` (run_once) and ``machine``
(describe_machine).
"""
