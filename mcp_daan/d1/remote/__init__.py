"""D1 databases on Cloudflare, read over its REST API."""
