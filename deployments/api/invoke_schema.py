"""Describes invoke in the schema: it is no view of DRF's, because every call goes through it."""

from typing import Any

PATH = "/api/v1/tenants/{slug}/plugins/{name}/invoke"
_TEXT = {"type": "string"}
_PARAMETERS = [
    *({"in": "path", "name": name, "required": True, "schema": _TEXT} for name in ("slug", "name")),
    {
        "in": "query",
        "name": "environment",
        "schema": _TEXT,
        "description": "The tenant's home environment by default.",
    },
]
_CALL = {
    "type": "object",
    "required": ["method"],
    "additionalProperties": False,
    "properties": {
        "method": {"type": "string"},
        "parameters": {"type": "object", "additionalProperties": {}},
    },
}
_RESULT = {
    "type": "object",
    "required": ["outcome", "result"],
    "properties": {
        "outcome": {"type": "string", "enum": ["ok"]},
        "result": {"description": "What the plugin's method returned."},
    },
}
_HEADERS = {
    "X-HotSwap-Version": {"schema": _TEXT, "description": "Which version answered."},
    "X-HotSwap-Generation": {"schema": {"type": "integer"}},
}


def add_invoke(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Postprocessing hook of drf-spectacular."""
    answered = {
        "description": "The plugin's answer.",
        "headers": _HEADERS,
        "content": {"application/json": {"schema": _RESULT}},
    }
    result["paths"][PATH] = {
        "post": {
            "operationId": "invoke",
            "description": "Call a method of the plugin for the tenant.",
            "tags": ["tenants"],
            "parameters": _PARAMETERS,
            "requestBody": {"required": True, "content": {"application/json": {"schema": _CALL}}},
            "security": [{"accessToken": []}, {"apiKey": []}],
            "responses": {"200": answered},
        }
    }
    return result
