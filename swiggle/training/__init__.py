"""What a training step is made of, free of anything distributed."""
