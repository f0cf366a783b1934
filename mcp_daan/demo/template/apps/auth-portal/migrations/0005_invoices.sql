-- Invoices as they were read from the connected bookkeeping. Money is counted in cents.
CREATE TABLE invoices (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  connection_id INTEGER NOT NULL REFERENCES connections (id),
  number TEXT NOT NULL,
  customer TEXT NOT NULL,
  total_cents INTEGER NOT NULL,
  currency TEXT NOT NULL DEFAULT 'EUR',
  issued_on TEXT NOT NULL,
  paid_on TEXT,
  UNIQUE (connection_id, number)
);

CREATE INDEX idx_invoices_issued ON invoices (issued_on);
