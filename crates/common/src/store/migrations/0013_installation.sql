-- What belongs to the installation and not to a tenant: settings that change at run time.
CREATE TABLE installation (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
