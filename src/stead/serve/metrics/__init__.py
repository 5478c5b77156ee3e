"""What `/metrics` of `stead serve` tells Prometheus, and who may read it."""
