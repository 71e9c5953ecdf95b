-- Who may do what: users of a tenant, how they prove it, and what they did.
-- Secrets that are shown once (sessions, tokens, invites) are kept as keyed hashes only.

ALTER TABLE tenants ADD COLUMN disabled BIGINT NOT NULL DEFAULT 0;

INSERT INTO ids (kind, last) VALUES ('tenants', 1), ('users', 0), ('sessions', 0), ('api_tokens', 0),
    ('invites', 0), ('signing_keys', 0);

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

-- One row per sign-in: a browser has a secret of its own, a script a chain of refresh tokens.
CREATE TABLE sessions (
    id           BIGINT NOT NULL PRIMARY KEY,
    tenant_id    BIGINT NOT NULL,
    user_id      BIGINT NOT NULL,
    secret_hash  TEXT   UNIQUE,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    address      TEXT   NOT NULL,
    agent        TEXT   NOT NULL,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX sessions_of_user ON sessions (tenant_id, user_id);

-- One that was used stays while its session lasts: used again, it was stolen, and the session ends.
CREATE TABLE refresh_tokens (
    secret_hash TEXT   NOT NULL PRIMARY KEY,
    session_id  BIGINT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    used_at     BIGINT
);
CREATE INDEX refresh_tokens_of_session ON refresh_tokens (session_id);

-- Links that work once: without a user, the set-up of the installation; with one, a new password for that user.
CREATE TABLE links (
    secret_hash TEXT   NOT NULL PRIMARY KEY,
    tenant_id   BIGINT,
    user_id     BIGINT,
    expires_at  BIGINT NOT NULL,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

-- Keys that sign the short tokens of scripts: the newest signs, all that are here verify. They are the
-- installation's, so their tenant is the default one.
CREATE TABLE signing_keys (
    id         BIGINT NOT NULL PRIMARY KEY,
    tenant_id  BIGINT NOT NULL REFERENCES tenants (id),
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

-- `for_tenant` is the tenant to join; without it, the invite makes a new one. The code is sealed, since lists show it.
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
    used_at     BIGINT
);
CREATE INDEX invites_of_tenant ON invites (tenant_id, id);

-- How many invites somebody made on a day (UTC), also those that were deleted since.
CREATE TABLE invite_days (
    user_id BIGINT NOT NULL,
    day     BIGINT NOT NULL,
    made    BIGINT NOT NULL,
    PRIMARY KEY (user_id, day)
);

-- Failures at the doors that take a password, per account, per address and per both; subjects are keyed hashes.
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
