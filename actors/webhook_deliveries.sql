-- name: record
-- One attempt to deliver, and how it ended.
INSERT INTO webhook_deliveries
  (webhook_id, job_id, tenant_id, event, status, attempt, http_status, response_time_ms, error, url)
VALUES
  (%(webhook_id)s, %(job_id)s, %(tenant_id)s, %(event)s, %(status)s, %(attempt)s, %(http_status)s,
   %(response_time_ms)s, %(error)s, %(url)s);
