"""A user's own tests of a spec: what must be planned, placed and refused, and what still works when hosts fail.

Nothing is applied anywhere: hosts are those of an inventory, simulated, and a test is a pure question to the planner.
"""

from stead.testing.model import Expectation, Rehearsal, TestFile
from stead.testing.report import TestResult, as_data, junit, text
from stead.testing.run import run_file

__all__ = ["Expectation", "Rehearsal", "TestFile", "TestResult", "as_data", "junit", "run_file", "text"]
