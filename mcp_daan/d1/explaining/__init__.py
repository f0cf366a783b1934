"""Plans, costs, and indexes that were tried."""
