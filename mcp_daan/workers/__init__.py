"""Workers as their configuration, their KV and their deployments tell of them."""
