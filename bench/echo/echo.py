"""The plugin of the benches."""

from hotswap_plugin import Plugin


class Echo(Plugin):
    def echo(self, ctx, text):
        return {"text": text}
