-- What the job log could not take: counted in the transaction that leaves it out, so that the count is exact.

ALTER TABLE recorder_position
  -- Events that could not be read, and rows that PostgreSQL refused, wholly or but for what the application put into them.
  ADD COLUMN left_out BIGINT NOT NULL DEFAULT 0,
  ADD CONSTRAINT recorder_position_left_out_is_a_count CHECK (left_out >= 0);
