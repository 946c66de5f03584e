"""Why a version may be trusted: who signed it, what is inside, and what should not be."""
