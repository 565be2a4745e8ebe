"""The HTTP interface: routes, and what requests and answers look like."""
