"""`!vault` values: Ansible Vault, opened with the passwords that were given. Imported when the first one is met."""

from __future__ import annotations

from collections.abc import Sequence

from stead.core.diagnostics import Code, Diagnostic
from stead.core.fields import Password, Secret
from stead.language.document import Scalar

NO_PASSWORD = Code("STEAD-L040", "a vaulted value needs a password")
WRONG_PASSWORD = Code("STEAD-L041", "a vaulted value cannot be opened")
NOT_OPENED = "None of the given passwords opens it, or it is damaged. `ansible-vault encrypt_string` writes it anew."


class Vault:
    """`project`: of a project's people, whose values open only with the passwords that the site grants them: else who
    copies another's encrypted text would have it. `alone`: nobody has passwords here, and nothing is opened.
    """

    def __init__(self, passwords: Sequence[Password], *, project: str = "", alone: bool = False) -> None:
        self.passwords, self.project, self.alone = [one.secret for one in passwords], project, alone

    def open(self, node: Scalar, found: list[Diagnostic]) -> Secret | None:
        if self.alone:
            return Secret("vaulted")
        if not self.passwords and self.project:
            text = (
                f"No password that was given is granted to project {self.project}. The site's files say whose a vault "
                f"id is, grants: {{{self.project}: {{vault_ids: [ID]}}}}, and --vault-password-file ID@FILE gives it."
            )
            found.append(NO_PASSWORD.at(node.place, text))
            return None
        if not self.passwords:
            text = "Give the password's file with --vault-password-file, or ANSIBLE_VAULT_PASSWORD_FILE."
            found.append(NO_PASSWORD.at(node.place, text))
            return None
        secret = opened(node.text, self.passwords)
        if secret is None:
            found.append(WRONG_PASSWORD.at(node.place, NOT_OPENED))
        return secret


def opened(text: str, passwords: Sequence[Secret]) -> Secret | None:
    from ansible.errors import AnsibleError
    from ansible.parsing.vault import VaultLib, VaultSecret

    library = VaultLib([("default", VaultSecret(one.reveal().encode())) for one in passwords])
    try:
        return Secret(library.decrypt(text.strip().encode()).decode())
    except (AnsibleError, UnicodeDecodeError, ValueError):
        return None
