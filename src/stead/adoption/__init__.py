"""What libvirt has on hosts that is not Stead's, written as a spec that takes it over (ADR 29). Pure."""
