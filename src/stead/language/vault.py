"""`!vault` values: Ansible Vault, opened with the passwords that were given. Imported when the first one is met."""

from __future__ import annotations

from collections.abc import Sequence

from stead.core.diagnostics import Code, Diagnostic
from stead.core.fields import Secret
from stead.language.document import Scalar

NO_PASSWORD = Code("STEAD-L040", "a vaulted value needs a password")
WRONG_PASSWORD = Code("STEAD-L041", "a vaulted value cannot be opened")


class Vault:
    def __init__(self, passwords: Sequence[Secret]) -> None:
        self.passwords = passwords

    def open(self, node: Scalar, found: list[Diagnostic]) -> Secret | None:
        if not self.passwords:
            text = "Give the password's file with --vault-password-file, or ANSIBLE_VAULT_PASSWORD_FILE."
            found.append(NO_PASSWORD.at(node.place, text))
            return None
        from ansible.errors import AnsibleError
        from ansible.parsing.vault import VaultLib, VaultSecret

        library = VaultLib([("default", VaultSecret(one.reveal().encode())) for one in self.passwords])
        try:
            return Secret(library.decrypt(node.text.strip().encode()).decode())
        except (AnsibleError, UnicodeDecodeError, ValueError):
            text = (
                "None of the given passwords opens it, or it is damaged. `ansible-vault encrypt_string` writes it anew."
            )
            found.append(WRONG_PASSWORD.at(node.place, text))
            return None
