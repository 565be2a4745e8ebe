"""What answers requests: the parts of the graph, and the pictures, sessions and searches that they handle."""
