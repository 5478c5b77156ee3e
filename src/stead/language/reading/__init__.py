"""Nodes to typed models: what a kind's dataclass says, checked and converted, every mistake with its place.

A model is compiled once into functions. Expressions are evaluated here when the scope has them, or kept when their
field is a late one. It opens no file and knows no kind.
"""

from stead.language.reading.codes import MISSING, OUT_OF_RANGE, UNKNOWN_FIELD, WRONG_FORM, WRONG_TYPE
from stead.language.reading.context import Reading, ReadingScope, nearest
from stead.language.reading.models import read_model, reader_of

__all__ = [
    "MISSING",
    "OUT_OF_RANGE",
    "UNKNOWN_FIELD",
    "WRONG_FORM",
    "WRONG_TYPE",
    "Reading",
    "ReadingScope",
    "nearest",
    "read_model",
    "reader_of",
]
