"""Workers KV, read and never written: namespaces, keys and values, local and of the account."""
