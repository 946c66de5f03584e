"""Measurements: each module has ``run(options)`` and returns the figures of one JSON object."""
