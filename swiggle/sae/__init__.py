"""Sparse autoencoders over latents: model, objective, training, metrics and the choice of one."""
