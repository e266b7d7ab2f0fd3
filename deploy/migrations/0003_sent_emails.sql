-- What the email actor intends to send and has sent, so that a job that runs twice sends once.

CREATE TABLE sent_emails (
  id BIGSERIAL PRIMARY KEY,
  job_id VARCHAR(255) UNIQUE NOT NULL,
  tenant_id TEXT NOT NULL,
  recipient TEXT NOT NULL,
  subject TEXT,
  message_id TEXT NOT NULL,
  -- intended: written before the send; sent: the server took it; in_doubt: nobody knows whether it did.
  status TEXT NOT NULL DEFAULT 'intended',
  created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
  sent_at TIMESTAMPTZ,

  CONSTRAINT sent_emails_status_known CHECK (status IN ('intended', 'sent', 'in_doubt')),
  CONSTRAINT sent_emails_sent_has_its_time CHECK ((status = 'sent') = (sent_at IS NOT NULL)),
  CONSTRAINT sent_emails_message_id_not_empty CHECK (message_id <> '')
);

CREATE INDEX idx_sent_emails_tenant_created ON sent_emails(tenant_id, created_at DESC);
CREATE INDEX idx_sent_emails_unsettled ON sent_emails(created_at) WHERE status <> 'sent';
