"""What can be estimated: each measure with its linearised values."""
