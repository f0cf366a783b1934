"""Cloudflare's REST API, read and never written, as one token sees it."""
