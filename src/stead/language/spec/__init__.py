"""The document, checked: sections, names, included parts and declared variables. No value is computed here."""

from stead.language.spec.load import load, load_alone
from stead.language.spec.model import Definition, Environment, Given, Said, Spec
from stead.language.spec.stored import NOTHING_STORED, Stored

__all__ = ["NOTHING_STORED", "Definition", "Environment", "Given", "Said", "Spec", "Stored", "load", "load_alone"]
