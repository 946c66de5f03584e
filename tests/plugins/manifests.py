"""A manifest with every key."""

FULL = {
    "author": "Acme",
    "requires_python": ">=3.11",
    "requires_hotswap": ">=0.1,<1",
    "dependencies": {"plugins": ["currency>=1.5,<2"], "python": ["babel>=2.14"]},
    "config": {"schema": {"type": "object", "properties": {"rate": {"type": "number"}}}},
    "secrets": {
        "api_key": {"mode": "header", "host": "api.example.com", "header": "Authorization"},
        "signing_key": {"mode": "value", "summary": "Signs webhooks"},
    },
    "permissions": {
        "native": True,
        "egress": [{"host": "api.example.com", "methods": ["GET", "POST"], "ports": [443, 8443]}],
    },
    "resources": {"memory_mb": 128, "cpu_seconds": 2, "wall_seconds": 3.5, "pids": 8, "threads": 4},
    "health": {"startup_seconds": 10, "error_rate": 0.05, "p99_seconds": 0.5},
    "metrics": {"calls_total": {"type": "counter", "unit": "calls"}},
    "methods": {
        "echo": {
            "summary": "Says it again",
            "timeout_seconds": 2,
            "idempotent": True,
            "input_schema": {"type": "object", "properties": {"text": {"type": "string"}}},
            "output_schema": {"type": "object"},
            "examples": [
                {"parameters": {"text": "a"}, "result": {"text": "a"}, "config": {"rate": 0.5}},
                {"parameters": {}, "expect": {"type": "object"}, "secrets": {"signing_key": "s"}},
            ],
        }
    },
}
