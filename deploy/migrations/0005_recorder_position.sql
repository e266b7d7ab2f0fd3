-- How far the recorder has read each namespace's journal; moved in the same transaction as the rows it wrote.

CREATE TABLE recorder_position (
  namespace TEXT PRIMARY KEY,
  -- The id of the last journal entry whose events are in job_logs, such as 1700000000000-0.
  position TEXT NOT NULL DEFAULT '0-0',
  updated_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

  CONSTRAINT recorder_position_is_an_entry_id CHECK (position ~ '^[0-9]+-[0-9]+$')
);
