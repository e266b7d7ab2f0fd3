-- The endpoints that tenants subscribed, and every delivery to them.

CREATE TABLE webhooks (
  id BIGSERIAL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  url TEXT NOT NULL,
  secret TEXT NOT NULL,
  -- The secret before the last rotation; deliveries are signed with both while it is here.
  secret_previous TEXT,
  secret_rotated_at TIMESTAMPTZ,
  -- Names of events; '*' stands for all of them.
  events TEXT[] NOT NULL DEFAULT ARRAY['*'],
  active BOOLEAN NOT NULL DEFAULT TRUE,
  disabled_at TIMESTAMPTZ,
  disabled_reason TEXT,
  created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

  CONSTRAINT webhooks_url_is_http CHECK (url ~* '^https?://'),
  CONSTRAINT webhooks_secret_not_empty CHECK (secret <> ''),
  CONSTRAINT webhooks_events_not_empty CHECK (cardinality(events) > 0),
  CONSTRAINT webhooks_active_is_not_disabled CHECK (NOT active OR disabled_at IS NULL)
);

CREATE INDEX idx_webhooks_tenant ON webhooks(tenant_id) WHERE active;

CREATE TABLE webhook_deliveries (
  id BIGSERIAL PRIMARY KEY,
  -- NULL for a delivery to an address that no subscription names.
  webhook_id BIGINT REFERENCES webhooks(id) ON DELETE CASCADE,
  job_id VARCHAR(255) NOT NULL,
  tenant_id TEXT NOT NULL,
  event TEXT NOT NULL,
  status TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  http_status INTEGER,
  response_time_ms INTEGER,
  error TEXT,
  url TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

  CONSTRAINT webhook_deliveries_status_known CHECK (status IN ('success', 'failed')),
  CONSTRAINT webhook_deliveries_failure_is_explained CHECK (
    status <> 'failed' OR error IS NOT NULL OR http_status IS NOT NULL
  ),
  CONSTRAINT webhook_deliveries_attempt_from_one CHECK (attempt >= 1),
  CONSTRAINT webhook_deliveries_http_status_in_range CHECK (http_status BETWEEN 100 AND 599),
  CONSTRAINT webhook_deliveries_response_time_not_negative CHECK (response_time_ms >= 0)
);

CREATE INDEX idx_webhook_deliveries_webhook ON webhook_deliveries(webhook_id, created_at DESC);
CREATE INDEX idx_webhook_deliveries_job ON webhook_deliveries(job_id);
CREATE INDEX idx_webhook_deliveries_tenant ON webhook_deliveries(tenant_id, created_at DESC);
