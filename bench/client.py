"""HotSwap's API as a person with a password uses it: a token, renewed when it runs out."""

import io
import time
from typing import Any

import httpx


class ApiError(Exception):
    """An answer that is not the one asked for; ``code`` and ``status`` are the API's."""

    def __init__(self, response: httpx.Response) -> None:
        error = _error_of(response)
        super().__init__(
            f"{response.request.method} {response.request.url.path}: "
            f"{response.status_code} {error.get('code')}: {error.get('message')} "
            f"{error.get('fields', '')}"
        )
        self.status = response.status_code
        self.code = str(error.get("code", ""))


class Api:
    """One signed-in user. Every method returns the answer's JSON or raises ApiError."""

    def __init__(self, base: str, username: str, password: str) -> None:
        self._http = httpx.Client(base_url=f"{base}/api/v1", timeout=30)
        self._credentials = {"username": username, "password": password}
        self._renew_at = 0.0

    def get(self, path: str, **parameters: Any) -> Any:
        return self._request("GET", path, params=parameters)

    def post(self, path: str, body: dict[str, Any] | None = None, **options: Any) -> Any:
        return self._request("POST", path, json=body or {}, **options)

    def put(self, path: str, body: dict[str, Any]) -> Any:
        return self._request("PUT", path, json=body)

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        return self._request("PATCH", path, json=body)

    def upload(self, plugin: str, artifact: bytes) -> Any:
        files = {"artifact": (f"{plugin}.zip", io.BytesIO(artifact), "application/zip")}
        return self._request("POST", f"/plugins/{plugin}/versions", files=files)

    def _request(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._token()}"}
        response = self._http.request(method, path, headers=headers, **options)
        if not response.is_success:
            raise ApiError(response)
        return response.json() if response.content else None

    def _token(self) -> str:
        if time.monotonic() > self._renew_at:
            response = self._http.post("/auth/token", json=self._credentials)
            if not response.is_success:
                raise ApiError(response)
            self._access = str(response.json()["access"])
            self._renew_at = time.monotonic() + 300
        return self._access


def _error_of(response: httpx.Response) -> dict[str, Any]:
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return {"code": "unreadable", "message": response.text[:200]}
    return dict(error)
