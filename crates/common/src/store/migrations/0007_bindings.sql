-- Secrets tied to the addresses that may use them. Found by a keyed hash; the secret itself is nowhere.
CREATE TABLE bindings (
    tenant_id    BIGINT NOT NULL REFERENCES tenants (id),
    key_hash     TEXT   NOT NULL,
    masked       TEXT   NOT NULL,
    mode         TEXT   NOT NULL,
    -- Networks, separated by spaces.
    addresses    TEXT   NOT NULL,
    blocked      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, key_hash)
);
CREATE INDEX bindings_by_time ON bindings (tenant_id, created_at, key_hash);
CREATE INDEX bindings_by_use ON bindings (tenant_id, last_used_at);

-- Bindings that nobody used for long. The next use of such a secret binds it anew.
CREATE TABLE bindings_archive (
    tenant_id    BIGINT NOT NULL REFERENCES tenants (id),
    key_hash     TEXT   NOT NULL,
    masked       TEXT   NOT NULL,
    mode         TEXT   NOT NULL,
    addresses    TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    archived_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, key_hash, archived_at)
);
CREATE INDEX bindings_archive_by_time ON bindings_archive (tenant_id, archived_at);

-- What caches must forget, in order: a secret whose binding changed, or the empty text for the settings.
CREATE TABLE binding_changes (
    seq       BIGINT NOT NULL PRIMARY KEY,
    tenant_id BIGINT NOT NULL REFERENCES tenants (id),
    key_hash  TEXT   NOT NULL,
    at        BIGINT NOT NULL
);
CREATE INDEX binding_changes_by_tenant ON binding_changes (tenant_id, seq);
INSERT INTO ids (kind, last) VALUES ('binding_changes', 0);

-- Uses from elsewhere. Those that differ only in time share a row: `uses` says how many.
CREATE TABLE interceptions (
    tenant_id BIGINT NOT NULL REFERENCES tenants (id),
    id        TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    key_hash  TEXT   NOT NULL,
    masked    TEXT   NOT NULL,
    bound     TEXT   NOT NULL,
    attempted TEXT   NOT NULL,
    method    TEXT   NOT NULL,
    path      TEXT   NOT NULL,
    reason    TEXT   NOT NULL,
    refused   BIGINT NOT NULL,
    uses      BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX interceptions_by_time ON interceptions (tenant_id, at, id);
CREATE INDEX interceptions_by_key ON interceptions (tenant_id, key_hash, at);

-- Requests per day (days since 1970-01-01) and secret; the empty text counts all requests.
CREATE TABLE binding_days (
    tenant_id   BIGINT NOT NULL REFERENCES tenants (id),
    day         BIGINT NOT NULL,
    key_hash    TEXT   NOT NULL,
    allowed     BIGINT NOT NULL,
    intercepted BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, day, key_hash)
);
CREATE INDEX binding_days_by_key ON binding_days (tenant_id, key_hash, day);

-- Work that one process at a time does.
CREATE TABLE leases (
    name  TEXT   NOT NULL PRIMARY KEY,
    owner TEXT   NOT NULL,
    until BIGINT NOT NULL
);
