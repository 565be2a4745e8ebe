"""DiceBear's pixel-art avatars: another composed set of pictures, and everything that knows it."""
