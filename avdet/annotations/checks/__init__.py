"""What may be wrong with a data set, a file a subject."""
