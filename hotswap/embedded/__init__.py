"""PostgreSQL, Valkey and HotSwap's own processes on one machine, without root and without a port to
collide.

Standard library and psycopg only: this runs before Django can.
"""
