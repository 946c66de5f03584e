"""What higher apps may listen to; this app may not know them."""

from django.dispatch import Signal

# Sent with ``installation`` and ``change`` (the routable change under way) inside the transaction
# that moved the installation's epoch on: its config or a secret is another one now.
epoch_changed = Signal()
