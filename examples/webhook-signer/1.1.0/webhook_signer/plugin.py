"""The methods that the manifest declares. The key is the tenant's secret and is never answered."""

import time
from typing import Any

from hotswap_plugin import Plugin, PluginError, TenantContext

from webhook_signer.signatures import ALGORITHMS, header, key_id, matches, parse

MIN_KEY_CHARACTERS = 16


class WebhookSigner(Plugin):
    def sign(
        self, ctx: TenantContext, payload: str, timestamp: int | None = None
    ) -> dict[str, Any]:
        """The header to send along with the payload."""
        key = _key(ctx)
        at = int(time.time()) if timestamp is None else timestamp
        algorithms = ctx.config.get("algorithms", list(ALGORITHMS))
        ctx.metric("webhooks_signed_total")
        return {
            "signature": header(key, at, payload, algorithms),
            "timestamp": at,
            "key_id": key_id(key),
            "algorithms": algorithms,
        }

    def verify(
        self, ctx: TenantContext, payload: str, signature: str, now: int | None = None
    ) -> dict[str, Any]:
        """Whether the header belongs to the payload, was made with our key, and is recent."""
        reason = self._reason(ctx, payload, signature, int(time.time()) if now is None else now)
        ctx.metric("webhooks_verified_total")
        return {"valid": reason is None, "reason": reason or "ok"}

    def config_changed(self, ctx: TenantContext) -> None:
        """Nothing is kept between calls, so a new key or tolerance needs no new process."""

    def _reason(self, ctx: TenantContext, payload: str, text: str, now: int) -> str | None:
        signature = parse(text)
        if signature is None:
            return "malformed"
        if abs(now - signature.timestamp) > ctx.config.get("tolerance_seconds", 300):
            return "expired"
        keys = [key for key in (_key(ctx), ctx.secrets.get("previous_key")) if key]
        if signature.key_id and signature.key_id not in [key_id(key) for key in keys]:
            return "unknown_key"
        # A weaker digest beside a wrong stronger one must not save the message.
        strongest = "sha512" if "sha512" in signature.algorithms() else "sha256"
        if strongest not in ctx.config.get("algorithms", ALGORITHMS):
            return "algorithm_refused"
        right = any(matches(signature, key, payload, strongest) for key in keys)
        return None if right else "mismatch"


def _key(ctx: TenantContext) -> str:
    key = ctx.secrets.get("signing_key", "")
    if len(key) < MIN_KEY_CHARACTERS:
        raise PluginError(
            f"the secret signing_key is missing or shorter than {MIN_KEY_CHARACTERS} characters: "
            "set it for this tenant"
        )
    return key
