-- What people configure. Both databases read this file: types are BIGINT and TEXT, times are unix milliseconds.
-- Foreign keys carry the tenant, so that no row can refer to another tenant's; those that provisioning rewires
-- within one transaction are checked at its end.

CREATE TABLE tenants (
    id         BIGINT NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);
INSERT INTO tenants (id, name, created_at) VALUES (1, 'default', 0);

-- The last id given out per kind. Ids are never given twice, since the queue may still speak of deleted rows.
CREATE TABLE ids (
    kind TEXT   NOT NULL PRIMARY KEY,
    last BIGINT NOT NULL
);
INSERT INTO ids (kind, last) VALUES ('bots', 0), ('channels', 0), ('rules', 0), ('mutes', 0), ('silences', 0);

-- One row: the version of the whole configuration. Whoever changes configuration locks it first.
CREATE TABLE config_state (
    only_row BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
    version  BIGINT NOT NULL
);
INSERT INTO config_state (only_row, version) VALUES (1, 0);

CREATE TABLE settings (
    tenant_id BIGINT NOT NULL REFERENCES tenants (id),
    name      TEXT   NOT NULL,
    value     TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, name)
);

CREATE TABLE bots (
    id          BIGINT NOT NULL PRIMARY KEY,
    tenant_id   BIGINT NOT NULL REFERENCES tenants (id),
    name        TEXT   NOT NULL,
    platform    TEXT   NOT NULL,
    credentials TEXT   NOT NULL,
    provisioned BIGINT NOT NULL,
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, id)
);

CREATE TABLE channels (
    id              BIGINT NOT NULL PRIMARY KEY,
    tenant_id       BIGINT NOT NULL REFERENCES tenants (id),
    name            TEXT   NOT NULL,
    platform        TEXT   NOT NULL,
    bot_id          BIGINT,
    target          TEXT   NOT NULL,
    options         TEXT   NOT NULL,
    secrets         TEXT   NOT NULL,
    rate_per_min    BIGINT NOT NULL,
    dedup_window_s  BIGINT NOT NULL,
    push_token      TEXT   NOT NULL,
    push_token_hash TEXT   NOT NULL UNIQUE,
    enabled         BIGINT NOT NULL,
    provisioned     BIGINT NOT NULL,
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES bots (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE rules (
    id          BIGINT NOT NULL PRIMARY KEY,
    tenant_id   BIGINT NOT NULL REFERENCES tenants (id),
    name        TEXT   NOT NULL,
    position    BIGINT NOT NULL,
    matcher     TEXT   NOT NULL,
    goes_on     BIGINT NOT NULL,
    severity    TEXT,
    escalate_at TEXT,
    active      TEXT,
    enabled     BIGINT NOT NULL,
    provisioned BIGINT NOT NULL,
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, id)
);

CREATE TABLE rule_channels (
    tenant_id  BIGINT NOT NULL,
    rule_id    BIGINT NOT NULL,
    escalated  BIGINT NOT NULL,
    position   BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    PRIMARY KEY (rule_id, escalated, position),
    FOREIGN KEY (tenant_id, rule_id) REFERENCES rules (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, channel_id) REFERENCES channels (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE default_channels (
    tenant_id   BIGINT NOT NULL REFERENCES tenants (id),
    position    BIGINT NOT NULL,
    channel_id  BIGINT NOT NULL,
    provisioned BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, position),
    FOREIGN KEY (tenant_id, channel_id) REFERENCES channels (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE mutes (
    id          BIGINT NOT NULL PRIMARY KEY,
    tenant_id   BIGINT NOT NULL REFERENCES tenants (id),
    sender      TEXT,
    source      TEXT,
    comment     TEXT   NOT NULL,
    provisioned BIGINT NOT NULL
);
CREATE INDEX mutes_of_tenant ON mutes (tenant_id);

CREATE TABLE silences (
    id          BIGINT NOT NULL PRIMARY KEY,
    tenant_id   BIGINT NOT NULL REFERENCES tenants (id),
    matcher     TEXT   NOT NULL,
    expires_at  BIGINT NOT NULL,
    comment     TEXT   NOT NULL,
    provisioned BIGINT NOT NULL
);
CREATE INDEX silences_of_tenant ON silences (tenant_id);
