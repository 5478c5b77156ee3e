"""The mistakes one can make in a value."""

from stead.core.diagnostics import Code

UNKNOWN_FIELD = Code("STEAD-L001", "no such field")
MISSING = Code("STEAD-L002", "a required field is missing")
WRONG_TYPE = Code("STEAD-L003", "wrong type of value")
NOT_A_CHOICE = Code("STEAD-L004", "invalid value")
OUT_OF_RANGE = Code("STEAD-L005", "a value is out of range")
WRONG_FORM = Code("STEAD-L006", "invalid format")
SHOWN = Code("STEAD-L007", "a secret would be exposed")
