"""The document, checked: sections, names, included parts and declared variables. No value is computed here."""

from stead.language.spec.load import load
from stead.language.spec.model import Definition, Environment, Given, Said, Spec

__all__ = ["Definition", "Environment", "Given", "Said", "Spec", "load"]
