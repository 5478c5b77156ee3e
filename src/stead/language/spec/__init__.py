"""The document, checked: sections, names, included parts and declared variables. No value is computed here."""

from stead.language.spec.load import load, load_alone
from stead.language.spec.model import Definition, Environment, Given, Said, Spec

__all__ = ["Definition", "Environment", "Given", "Said", "Spec", "load", "load_alone"]
