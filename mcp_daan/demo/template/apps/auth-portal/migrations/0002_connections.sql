-- One row for each bookkeeping account that a user has connected.
-- Tokens are sealed with AES-256-GCM under TOKEN_ENCRYPTION_KEY before they come here.
CREATE TABLE connections (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES users (id),
  provider TEXT NOT NULL,
  external_user_id TEXT,
  division INTEGER,
  status TEXT NOT NULL DEFAULT 'active',
  access_token_enc TEXT,
  refresh_token_enc TEXT,
  token_expires_at TEXT,
  last_refreshed_at TEXT,
  last_error TEXT,
  last_error_at TEXT,
  refresh_failures INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX idx_connections_user ON connections (user_id);
CREATE INDEX idx_connections_provider_status ON connections (provider, status);
