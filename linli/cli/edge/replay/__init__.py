"""`linli edge replay`: a recording through a configuration, and why it did or did not alarm."""
