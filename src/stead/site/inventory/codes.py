"""What can be wrong with an inventory."""

from __future__ import annotations

from stead.core.diagnostics import Code, Severity

UNREADABLE = Code("STEAD-H101", "the inventory cannot be read")
NO_HOSTS = Code("STEAD-H102", "the inventory has no host that Stead can use")
UNKNOWN_VARIABLE = Code("STEAD-H103", "no such host variable", Severity.WARNING)
BAD_VALUE = Code("STEAD-H104", "invalid value of a host variable")
ANSIBLE_FAILED = Code("STEAD-H105", "ansible-inventory failed")
BAD_NAME = Code("STEAD-H107", "invalid host name")
UNKNOWABLE = Code("STEAD-H106", "a host variable is not known before Ansible runs")
