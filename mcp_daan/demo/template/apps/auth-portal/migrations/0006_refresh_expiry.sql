-- A refresh token that lies unused for 30 days is dead, so its last day is kept.
ALTER TABLE connections ADD COLUMN refresh_token_expires_at TEXT;
