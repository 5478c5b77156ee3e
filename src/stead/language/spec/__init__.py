"""The document, checked: sections, names, included parts and declared variables. No value is computed here."""

from stead.language.spec.load import load, load_alone
from stead.language.spec.model import Definition, Given, Said, Spec, VariableScope
from stead.language.spec.stored import NOTHING_STORED, Stored

__all__ = ["NOTHING_STORED", "Definition", "Given", "Said", "Spec", "Stored", "VariableScope", "load", "load_alone"]
