"""Which invoice is this payment for?"""

from payment_matcher.plugin import PaymentMatcher

__all__ = ["PaymentMatcher"]
