"""What a user may write of a flavor: the same record that an instance may write inline."""

from stead.kinds.shared.sizing import Flavor

__all__ = ["Flavor"]
