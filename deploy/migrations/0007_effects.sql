-- What jobs intend to do outside and have done, so that a job that runs twice does each thing once.

CREATE TABLE effects (
  job_id VARCHAR(255) NOT NULL,
  -- What the actor calls it, such as charge-card.
  name VARCHAR(255) NOT NULL,
  tenant_id TEXT NOT NULL,
  -- intended: written before it happens; done: it happened; in_doubt: a run ended in between, nobody knows.
  status TEXT NOT NULL DEFAULT 'intended',
  -- The worker's name and the number of its fetch: which run wrote this.
  run TEXT NOT NULL,
  result JSONB,
  created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
  done_at TIMESTAMPTZ,

  PRIMARY KEY (job_id, name),
  CONSTRAINT effects_name_not_empty CHECK (name <> ''),
  CONSTRAINT effects_status_known CHECK (status IN ('intended', 'done', 'in_doubt')),
  CONSTRAINT effects_done_has_its_time CHECK ((status = 'done') = (done_at IS NOT NULL)),
  CONSTRAINT effects_only_done_has_a_result CHECK (result IS NULL OR status = 'done')
);

CREATE INDEX idx_effects_tenant ON effects(tenant_id);
CREATE INDEX idx_effects_created ON effects(created_at);
CREATE INDEX idx_effects_unsettled ON effects(created_at) WHERE status <> 'done';
