"""From the text of a prompt to requests, and the features that they mean."""
