-- One row for each run of the nightly sync.
CREATE TABLE sync_runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  connection_id INTEGER NOT NULL REFERENCES connections (id),
  started_at TEXT NOT NULL,
  finished_at TEXT,
  invoices_read INTEGER NOT NULL DEFAULT 0,
  error TEXT
);

CREATE INDEX idx_sync_runs_connection ON sync_runs (connection_id, started_at);
