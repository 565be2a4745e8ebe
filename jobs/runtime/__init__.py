"""What the stages share: clusters, stages, checkpoints, batches, progress, metrics."""
