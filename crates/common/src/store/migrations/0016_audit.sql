-- The audit log is read by time, and of it what one person did or what was done to one kind of thing.
CREATE INDEX audit_by_time ON audit_log (tenant_id, at, id);
CREATE INDEX audit_by_user ON audit_log (tenant_id, user_id, at, id);
CREATE INDEX audit_by_kind ON audit_log (tenant_id, kind, at, id);
