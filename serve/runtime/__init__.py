"""What every request passes: admission, guards, limits, errors, metrics; and the ports of the proxy."""
