"""The plugin of the benches."""

from hotswap_plugin import Plugin, TenantContext


class Echo(Plugin):
    def echo(self, ctx: TenantContext, text: str) -> dict[str, str]:
        return {"text": text}
