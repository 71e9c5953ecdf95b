"""Sends the admin API thousands of requests that schemathesis makes from its OpenAPI document, good and bad ones, and
fails on a 5xx and on an answer that the document does not describe: its status, its content type or its body.

Needs target/debug/watchbell. The same requests each time, within two minutes.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

SERVER = Path("target/debug/watchbell").resolve()
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
EMAIL, PASSWORD = "owner@example.org", "correct horse battery"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
DEADLINE_S = 120
READY_S = 30
# It does not end; crates/api-server/tests/it/live.rs reads it.
ENDLESS = "/api/v1/live"


def start(folder):
    """A fresh installation on free ports, and the address that it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WATCHBELL_")}
    environment |= {
        "WATCHBELL_DATA_DIR": f"{folder}/data",
        "WATCHBELL_HTTP_LISTEN": "127.0.0.1:0",
        "WATCHBELL_SMTP_LISTEN": "127.0.0.1:0",
        "WATCHBELL_BOOTSTRAP_ADMIN_EMAIL": EMAIL,
        "WATCHBELL_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD,
    }
    log = Path(folder, "log")
    with log.open("w") as output:
        server = subprocess.Popen([SERVER, "serve"], env=environment, stdout=output, stderr=subprocess.STDOUT)
    printed = wait_for(lambda: re.search(r"webhooks +(http://[^/]+)", log.read_text()), "the server's address")
    return server, printed[1], log


def wait_for(look, what):
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    sys.exit(f"in vain: {what}")


def call(url, token=None, body=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers)) as response:
        return json.load(response)


def sign_in(api):
    """An API token. Those before it have the small ids that requests to revoke one guess."""
    short = call(f"{api}/auth/token", body={"email": EMAIL, "password": PASSWORD})["access_token"]
    body = {"name": "check", "role": "owner"}
    return [call(f"{api}/tokens", short, body)["token"] for _ in range(8)][-1]


def known_ids(base, token):
    """The ids of an alert, of its event and of its delivery, which no request could guess, by their paths."""
    api = f"{base}/api/v1"
    push_token = call(f"{api}/channels", token)["items"][0]["push_token"]
    call(f"{api}/push/{push_token}", body={"severity": "critical", "host": "db1", "summary": "disk full"})
    lists = ("alerts", "events", "deliveries")
    first = {name: wait_for(lambda: call(f"{api}/{name}", token)["items"], name)[0]["id"] for name in lists}
    return {f"/api/v1/{name}/{{id}}": found for name, found in first.items()}


def settings(ids):
    """The settings of schemathesis: a known id for everything at or below its path."""
    lines = []
    for path, found in ids.items():
        lines += ["[[operations]]", f"include-path-regex = '^{re.escape(path)}'"]
        lines += [f'parameters = {{ "path.id" = "{found}" }}']
    return "\n".join(lines)


def run(folder, base, token):
    config = Path(folder, "schemathesis.toml")
    config.write_text(settings(known_ids(base, token)))
    command = [SCHEMATHESIS, "--config-file", config, "run", f"{base}/api/openapi.json"]
    command += ["--header", f"Authorization: Bearer {token}", "--checks", CHECKS, "--exclude-path", ENDLESS]
    command += ["--phases", "examples,coverage,fuzzing", "--max-examples", "5", "--seed", "1", "--workers", "1"]
    command += ["--generation-database", "none", "--no-shrink", "--continue-on-failure", "--warnings", "off"]
    try:
        return subprocess.run(command, cwd=folder, timeout=DEADLINE_S, check=False).returncode
    except subprocess.TimeoutExpired:
        sys.exit(f"not done within {DEADLINE_S} s")


def main():
    with tempfile.TemporaryDirectory() as folder:
        server, base, log = start(folder)
        try:
            token = sign_in(f"{base}/api/v1")
            failed = run(folder, base, token)
            # A token that a request revoked would have let every later answer be a documented 401.
            call(f"{base}/api/v1/me", token)
        finally:
            server.terminate()
            server.wait()
        if failed:
            print(*(line for line in log.read_text().splitlines() if " WARN " in line or " ERROR " in line), sep="\n")
        sys.exit(failed)


main()
