"""The feature atlas: what each feature of a dictionary is, measured and labelled."""
