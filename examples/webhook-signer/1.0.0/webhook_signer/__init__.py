"""Signs outgoing webhooks and verifies incoming ones with a key that only the tenant knows."""

from webhook_signer.plugin import WebhookSigner

__all__ = ["WebhookSigner"]
