"""Words: what captions and prompts are read with."""
