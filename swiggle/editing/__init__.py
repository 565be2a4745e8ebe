"""Edits: plans, their application to latents, and the way from a prompt to a plan."""
