"""One thin function a tool, grouped by room."""
