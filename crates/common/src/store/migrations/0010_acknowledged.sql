-- What people say about alerts; and what lists, counters and live updates need to stay fast however long the history is.

-- Copied from the last event, so that a list reads one table. `ending` is how its routing ended without a delivery.
ALTER TABLE alerts ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN ending TEXT;
UPDATE alerts SET
    source = COALESCE((SELECT e.source FROM events e
        WHERE e.tenant_id = alerts.tenant_id AND e.id = alerts.last_event), ''),
    subject = COALESCE((SELECT e.subject FROM events e
        WHERE e.tenant_id = alerts.tenant_id AND e.id = alerts.last_event), ''),
    ending = (SELECT r.ending FROM routings r
        WHERE r.tenant_id = alerts.tenant_id AND r.event_id = alerts.last_event);

CREATE INDEX alerts_by_status ON alerts (tenant_id, status, last_seen, id);
CREATE INDEX alerts_by_severity ON alerts (tenant_id, severity, last_seen, id);
CREATE INDEX alerts_by_system ON alerts (tenant_id, system, last_seen, id);
CREATE INDEX alerts_by_source ON alerts (tenant_id, source, last_seen, id);
CREATE INDEX alerts_silenced ON alerts (tenant_id, last_seen, id) WHERE ending = 'silenced';

DROP INDEX events_by_alert;
CREATE INDEX events_by_alert ON events (tenant_id, alert_id, received_at, id);

CREATE INDEX deliveries_by_time ON deliveries (tenant_id, state_at, id);
CREATE INDEX deliveries_in_trouble ON deliveries (tenant_id, state_at, id)
    WHERE state IN ('failed', 'rate_limited', 'dead');

-- Where the events of an alert ever went and by which rules: `kind` is channel or rule.
CREATE TABLE alert_routes (
    tenant_id BIGINT NOT NULL,
    alert_id  TEXT   NOT NULL,
    kind      TEXT   NOT NULL,
    item      BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, alert_id, kind, item)
);

-- The status that a person gave an alert, until an event ends it. It counts from the event that they saw last.
CREATE TABLE alert_marks (
    tenant_id  BIGINT NOT NULL,
    alert_id   TEXT   NOT NULL,
    status     TEXT   NOT NULL,
    severity   TEXT   NOT NULL,
    seen_at    BIGINT NOT NULL,
    seen_event TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    actor      TEXT   NOT NULL,
    comment    TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, alert_id)
);

-- What people did with an alert, for its timeline. Only ever added to. `label` is their correction of the analysis.
CREATE TABLE alert_actions (
    tenant_id BIGINT NOT NULL,
    alert_id  TEXT   NOT NULL,
    id        TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    event_id  TEXT   NOT NULL,
    action    TEXT   NOT NULL,
    actor     TEXT   NOT NULL,
    comment   TEXT   NOT NULL,
    label     TEXT,
    PRIMARY KEY (tenant_id, alert_id, id)
);

-- What happened per minute, added up as it is recorded.
CREATE TABLE tallies (
    tenant_id      BIGINT NOT NULL,
    minute         BIGINT NOT NULL,
    received       BIGINT NOT NULL,
    delivered      BIGINT NOT NULL,
    failed         BIGINT NOT NULL,
    dead           BIGINT NOT NULL,
    latency_ms     BIGINT NOT NULL,
    latency_ms_max BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, minute)
);

-- Which alerts changed, in the order in which that was committed (nearly): what live updates follow. Kept for minutes.
CREATE TABLE changes (
    tenant_id  BIGINT NOT NULL,
    id         TEXT   NOT NULL,
    alerts     TEXT   NOT NULL,
    deliveries BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- What belongs to the installation and not to a tenant: settings that change at run time.
CREATE TABLE installation (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
