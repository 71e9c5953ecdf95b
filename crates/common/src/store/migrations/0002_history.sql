-- What happened, written by the recorder. Facts arrive twice and out of order, so each kind of fact has rows of
-- its own, and there are no foreign keys: an attempt may be known before its event.

-- One row per event, immutable. The columns of the analysis are empty for an event that was dropped at intake.
CREATE TABLE events (
    tenant_id   BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    received_at BIGINT NOT NULL,
    source      TEXT   NOT NULL,
    channel_id  BIGINT,
    peer        TEXT,
    senders     TEXT   NOT NULL,
    recipients  TEXT   NOT NULL,
    subject     TEXT   NOT NULL,
    labels      TEXT   NOT NULL,
    attachments TEXT   NOT NULL,
    alert_id    TEXT,
    severity    TEXT,
    status      TEXT,
    category    TEXT,
    system      TEXT,
    summary     TEXT,
    action      TEXT,
    origin      TEXT,
    confidence  DOUBLE PRECISION,
    ending      TEXT,
    drop_reason TEXT,
    text        TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX events_by_time ON events (tenant_id, received_at, id);
CREATE INDEX events_by_alert ON events (tenant_id, alert_id);

-- What routing decided; the columns of the analysis are filled where it differs from the event's.
CREATE TABLE routings (
    tenant_id  BIGINT NOT NULL,
    event_id   TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    reasons    TEXT   NOT NULL,
    ending     TEXT,
    severity   TEXT,
    status     TEXT,
    category   TEXT,
    system     TEXT,
    summary    TEXT,
    action     TEXT,
    origin     TEXT,
    confidence DOUBLE PRECISION,
    PRIMARY KEY (tenant_id, event_id)
);

-- The stateful thing. `last_event` is the event with the greatest (received_at, id); the analysis is that event's.
CREATE TABLE alerts (
    tenant_id   BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    fingerprint TEXT   NOT NULL,
    first_seen  BIGINT NOT NULL,
    last_seen   BIGINT NOT NULL,
    last_event  TEXT   NOT NULL,
    events      BIGINT NOT NULL,
    severity    TEXT   NOT NULL,
    status      TEXT   NOT NULL,
    category    TEXT   NOT NULL,
    system      TEXT   NOT NULL,
    summary     TEXT   NOT NULL,
    action      TEXT   NOT NULL,
    origin      TEXT   NOT NULL,
    confidence  DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX alerts_by_time ON alerts (tenant_id, last_seen, id);

-- One event on its way to one channel. The state is that of the greatest (state_rank, state_at, state_number, state).
CREATE TABLE deliveries (
    tenant_id    BIGINT NOT NULL,
    id           TEXT   NOT NULL,
    event_id     TEXT   NOT NULL,
    channel_id   BIGINT NOT NULL,
    alert_id     TEXT,
    state        TEXT   NOT NULL,
    state_rank   BIGINT NOT NULL,
    state_at     BIGINT NOT NULL,
    state_number BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    detail       TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX deliveries_of_event ON deliveries (tenant_id, event_id);

CREATE TABLE attempts (
    tenant_id   BIGINT NOT NULL,
    delivery_id TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    number      BIGINT NOT NULL,
    outcome     TEXT   NOT NULL,
    detail      TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, delivery_id, at, number, outcome)
);

-- Jobs that gave up before they became deliveries.
CREATE TABLE burials (
    tenant_id BIGINT NOT NULL,
    event_id  TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    reason    TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, event_id, at)
);
