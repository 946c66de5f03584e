"""Whether a candidate is worse than its incumbent, tenant by tenant. Pure: numbers in, verdict out.

Tier 2 of DESIGN section 3. A tenant, not a call, is what is compared: one large customer's errors
come together, so calls are no independent witnesses.
"""
