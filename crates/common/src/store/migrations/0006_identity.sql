-- Who may do what: users of a tenant, how they prove it, and what they did.
-- Secrets that are shown once (sessions, tokens, invites) are kept as keyed hashes only.

ALTER TABLE tenants ADD COLUMN disabled BIGINT NOT NULL DEFAULT 0;

INSERT INTO ids (kind, last) VALUES ('tenants', 1), ('users', 0), ('sessions', 0), ('api_tokens', 0),
    ('invites', 0);

-- What belongs to the installation and not to a tenant: whether it was set up, settings that change at run time.
CREATE TABLE installation (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE users (
    id             BIGINT NOT NULL PRIMARY KEY,
    tenant_id      BIGINT NOT NULL REFERENCES tenants (id),
    email          TEXT   NOT NULL UNIQUE,
    display_name   TEXT   NOT NULL,
    password_hash  TEXT   NOT NULL,
    role           TEXT   NOT NULL,
    platform_admin BIGINT NOT NULL,
    disabled       BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    UNIQUE (tenant_id, id)
);

-- One row per signed-in browser.
CREATE TABLE sessions (
    id           BIGINT NOT NULL PRIMARY KEY,
    tenant_id    BIGINT NOT NULL,
    user_id      BIGINT NOT NULL,
    secret_hash  TEXT   NOT NULL UNIQUE,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    address      TEXT   NOT NULL,
    agent        TEXT   NOT NULL,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX sessions_of_user ON sessions (user_id);

-- Refresh tokens of scripts. One that was used stays until it expires: used again, it was stolen, and its family ends.
CREATE TABLE refresh_tokens (
    secret_hash TEXT   NOT NULL PRIMARY KEY,
    tenant_id   BIGINT NOT NULL,
    user_id     BIGINT NOT NULL,
    family      TEXT   NOT NULL,
    expires_at  BIGINT NOT NULL,
    used_at     BIGINT,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX refresh_tokens_of_family ON refresh_tokens (family);

-- Keys that sign the short tokens of scripts: the newest signs, all that are here verify.
CREATE TABLE signing_keys (
    id         TEXT   NOT NULL PRIMARY KEY,
    secret     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE api_tokens (
    id           BIGINT NOT NULL PRIMARY KEY,
    tenant_id    BIGINT NOT NULL,
    user_id      BIGINT NOT NULL,
    name         TEXT   NOT NULL,
    secret_hash  TEXT   NOT NULL UNIQUE,
    last4        TEXT   NOT NULL,
    role         TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    last_used_at BIGINT,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX api_tokens_of_tenant ON api_tokens (tenant_id, id);

-- `for_tenant` is the tenant to join; without it, the invite makes a new one.
CREATE TABLE invites (
    id          BIGINT NOT NULL PRIMARY KEY,
    tenant_id   BIGINT NOT NULL REFERENCES tenants (id),
    created_by  BIGINT NOT NULL,
    code        TEXT   NOT NULL,
    code_hash   TEXT   NOT NULL UNIQUE,
    for_tenant  BIGINT REFERENCES tenants (id),
    role        TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT,
    used_by     BIGINT,
    used_at     BIGINT,
    revoked_at  BIGINT
);
CREATE INDEX invites_of_tenant ON invites (tenant_id, id);

-- Failures at the doors that take a password, per account and per address.
CREATE TABLE lockouts (
    subject      TEXT   NOT NULL PRIMARY KEY,
    failures     BIGINT NOT NULL,
    last_at      BIGINT NOT NULL,
    locked_until BIGINT NOT NULL
);

-- Who did what, without secrets. Written in the transaction of what was done.
CREATE TABLE audit_log (
    tenant_id BIGINT NOT NULL,
    id        TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    user_id   BIGINT,
    actor     TEXT   NOT NULL,
    address   TEXT   NOT NULL,
    action    TEXT   NOT NULL,
    kind      TEXT   NOT NULL,
    item      TEXT   NOT NULL,
    before    TEXT,
    after     TEXT,
    PRIMARY KEY (tenant_id, id)
);
