"""The integrity sweep: every stored object is read again and held against the rows.

Found are objects that are missing, altered, or that nothing refers to. Instances verify what they
fetch by themselves; the sweep finds the damage before anybody needs the artifact.
"""

from plugins.sweep.findings import Problem, SweepFinding
from plugins.sweep.walk import Sweep

__all__ = ["Problem", "Sweep", "SweepFinding"]
