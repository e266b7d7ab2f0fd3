-- Plans and tenants: the truth of who may do how much. The monitor keeps in Redis what the broker's scripts read of it,
-- also when a row is changed by plain SQL.

CREATE TABLE plans (
  name TEXT PRIMARY KEY,
  -- Jobs of one tenant that run at once, over all queues and workers.
  concurrency INTEGER NOT NULL,
  -- Jobs that one tenant may send in any 60 seconds.
  max_jobs_per_minute INTEGER NOT NULL,
  -- Share of the workers while tenants wait for them.
  weight INTEGER NOT NULL,
  -- Jobs of one tenant that are not over.
  max_backlog INTEGER NOT NULL,
  created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

  CONSTRAINT plans_name_is_plain CHECK (name ~ '^[A-Za-z0-9._-]{1,64}$'),
  CONSTRAINT plans_concurrency_in_range CHECK (concurrency BETWEEN 1 AND 10000),
  CONSTRAINT plans_rate_in_range CHECK (max_jobs_per_minute BETWEEN 1 AND 1000000),
  CONSTRAINT plans_weight_in_range CHECK (weight BETWEEN 1 AND 1000),
  CONSTRAINT plans_backlog_in_range CHECK (max_backlog BETWEEN 1 AND 1000000000)
);

-- A tenant without a row is on the plan "free".
CREATE TABLE tenants (
  tenant_id TEXT PRIMARY KEY,
  plan TEXT NOT NULL DEFAULT 'free' REFERENCES plans(name) ON UPDATE CASCADE,
  -- What is this tenant's own instead of the plan's; NULL means the plan's.
  concurrency INTEGER,
  max_jobs_per_minute INTEGER,
  weight INTEGER,
  max_backlog INTEGER,
  -- Its jobs are accepted and wait; none starts.
  paused BOOLEAN NOT NULL DEFAULT FALSE,
  -- Where its jobs live when a fleet has several Redis servers; empty for the only one.
  cell TEXT NOT NULL DEFAULT '',
  created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
  -- The transaction that wrote the row last. Unlike a time it cannot be passed by one that commits later, so whoever
  -- asks for all rows since the oldest transaction that was under way misses none.
  changed_by XID8 NOT NULL DEFAULT pg_current_xact_id(),

  CONSTRAINT tenants_tenant_id_is_plain CHECK (tenant_id ~ '^[A-Za-z0-9._-]{1,64}$'),
  CONSTRAINT tenants_concurrency_in_range CHECK (concurrency BETWEEN 1 AND 10000),
  CONSTRAINT tenants_rate_in_range CHECK (max_jobs_per_minute BETWEEN 1 AND 1000000),
  CONSTRAINT tenants_weight_in_range CHECK (weight BETWEEN 1 AND 1000),
  CONSTRAINT tenants_backlog_in_range CHECK (max_backlog BETWEEN 1 AND 1000000000),
  CONSTRAINT tenants_cell_is_plain CHECK (cell ~ '^[A-Za-z0-9._-]{0,64}$')
);

CREATE INDEX idx_tenants_plan ON tenants(plan);
CREATE INDEX idx_tenants_changed_by ON tenants(changed_by);

-- Numbers what is read here and written to Redis: of two readings the one with the lower number gives way.
CREATE SEQUENCE limits_version;

CREATE FUNCTION jobfleet_stamp_tenant() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := CURRENT_TIMESTAMP;
  NEW.changed_by := pg_current_xact_id();
  RETURN NEW;
END
$$;

CREATE FUNCTION jobfleet_stamp_plan() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := CURRENT_TIMESTAMP;
  RETURN NEW;
END
$$;

CREATE FUNCTION jobfleet_tell_tenant() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    PERFORM pg_notify('jobfleet_tenants', OLD.tenant_id);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    PERFORM pg_notify('jobfleet_tenants', NEW.tenant_id);
  END IF;
  RETURN NULL;
END
$$;

-- "*": all tenants may have changed.
CREATE FUNCTION jobfleet_tell_all_tenants() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('jobfleet_tenants', '*');
  RETURN NULL;
END
$$;

CREATE TRIGGER tenants_stamp BEFORE INSERT OR UPDATE ON tenants
  FOR EACH ROW EXECUTE FUNCTION jobfleet_stamp_tenant();
CREATE TRIGGER plans_stamp BEFORE UPDATE ON plans
  FOR EACH ROW EXECUTE FUNCTION jobfleet_stamp_plan();
CREATE TRIGGER tenants_tell AFTER INSERT OR UPDATE OR DELETE ON tenants
  FOR EACH ROW EXECUTE FUNCTION jobfleet_tell_tenant();
CREATE TRIGGER tenants_tell_emptied AFTER TRUNCATE ON tenants
  FOR EACH STATEMENT EXECUTE FUNCTION jobfleet_tell_all_tenants();
CREATE TRIGGER plans_tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON plans
  FOR EACH STATEMENT EXECUTE FUNCTION jobfleet_tell_all_tenants();
