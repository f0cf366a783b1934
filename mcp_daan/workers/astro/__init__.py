"""An Astro app on Workers, read as text and never run."""
