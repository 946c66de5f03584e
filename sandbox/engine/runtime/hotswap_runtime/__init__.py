"""The loop that runs a plugin inside its jail. Synchronous and small, because each process pays for it."""
