"""Swiggle: sparse-autoencoder features of pictures, interpreted, browsed and edited."""

__version__ = "0.1.0"
