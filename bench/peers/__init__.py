"""This server beside its peers: same file, same rows, same machine, one run."""
