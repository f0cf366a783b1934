"""`python -m mcp_daan` is `mcp-daan`."""

from mcp_daan.cli import main

raise SystemExit(main())
