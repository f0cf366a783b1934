"""What is deployed of the workspace's Workers, as Cloudflare's API tells it, held against the files."""
