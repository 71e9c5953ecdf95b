#!/usr/bin/python3
"""Do the files that describe an installation agree with each other, with the settings and with the code?

Compose's and systemd's parsers know their syntax; this knows ours: names of settings, ports, binaries, users,
limits. Prints each disagreement and ends with status 1. deploy/check.sh calls it from the repository's root.
"""

import re
import sys
import tomllib
from pathlib import Path

import yaml

PROBLEMS = []

# What each service publishes.
PORTS = {"smtp-ingestor": 25, "webhook-ingestor": 8080, "api-server": 8000, "key-gateway": 7000}
SECRETS = {
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "WATCHBELL_SECURITY_MASTER_KEY",
    "WATCHBELL_AI_API_KEY",
    "WATCHBELL_GATEWAY_HMAC_SECRET",
}
# The setting that says where a binary answers /readyz.
HEALTH = {"webhook-ingestor": "WATCHBELL_HTTP_LISTEN", "api-server": "WATCHBELL_HTTP_API_LISTEN"}
# Each of these lines carries the promise that acknowledged alerts are kept.
REDIS = {"appendonly yes", "appendfsync always", "no-appendfsync-on-rewrite no", "maxmemory-policy noeviction"}


def check(holds, complaint):
    """Notes the complaint unless the condition holds."""
    if not holds:
        PROBLEMS.append(complaint)


def read(path):
    return Path(path).read_text(encoding="utf-8")


def seconds(text):
    """Reads `500ms`, `30s`, `2m`."""
    number, unit = re.fullmatch(r"(\d+)(ms|s|m)", str(text)).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60}[unit]


def size(text):
    """Reads `512m`, `1gb`."""
    number, unit = re.fullmatch(r"(\d+)([mg])b?", str(text).lower()).groups()
    return int(number) * {"m": 1, "g": 1024}[unit]


def port_of(address):
    return int(address.rsplit(":", 1)[1])


def example_env():
    """The lines of .env.example; a test starts the services from it, so it must be plain KEY=VALUE."""
    env = {}
    for number, line in enumerate(read(".env.example").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        plain = re.fullmatch(r"[A-Z][A-Z0-9_]*", name) and equals and not re.search(r"[\s\"'$\\`]", value)
        check(plain, f".env.example:{number}: not a plain KEY=VALUE line")
        check(name not in env, f".env.example:{number}: {name} is set twice")
        env[name] = value
    return env


def setting_names():
    settings = tomllib.loads(read("config.example.toml"))
    return settings, {f"WATCHBELL_{s}_{f}".upper() for s, fields in settings.items() for f in fields}


def check_names(known, env):
    """Every setting that is named exists; every variable of Compose is in .env.example with the same default."""
    files = ["docker-compose.yml", ".env.example", *sorted(p for p in Path("deploy").rglob("*") if p.is_file())]
    for path in files:
        for name in set(re.findall(r"\bWATCHBELL_[A-Z][A-Z0-9_]*", read(path))):
            check(name in known, f"{path}: config.example.toml has no {name}")
    compose = read("docker-compose.yml")
    for name, default in re.findall(r"(?<!\$)\$\{([A-Z_]+)(?::-([^}]*))?", compose):
        check(name in env, f"docker-compose.yml: {name} is not in .env.example")
        check(env.get(name) == default or not default, f".env.example: {name} is not {default}, Compose's default")
    for name, value in env.items():
        used = name.startswith("WATCHBELL_") or name == "COMPOSE_PROJECT_NAME" or f"${{{name}" in compose
        check(used, f".env.example: nothing uses {name}")
        check(name not in SECRETS or not value, f".env.example: {name} is a secret and must be left empty")


def dockerfile():
    """Its instructions as (word, rest), continuation lines joined."""
    text = re.sub(r"^\s*#.*\n", "", read("deploy/Dockerfile"), flags=re.M)
    text = re.sub(r"\\\n\s*", " ", text)
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


def check_dockerfile(services):
    steps = dockerfile()
    words = set("FROM WORKDIR COPY RUN ENV USER EXPOSE HEALTHCHECK CMD".split())
    for word, rest in steps:
        check(word in words, f"deploy/Dockerfile: {word} is unknown here")
        if word == "COPY" and "--from" not in rest:
            for source in rest.split()[:-1]:
                check(Path(source).exists(), f"deploy/Dockerfile: COPY {source}: there is no such path")
    stages = [rest.split() for word, rest in steps if word == "FROM"]
    names = {stage[2] for stage in stages if len(stage) == 3}
    for image in (stage[0] for stage in stages if stage[0] not in names):
        check_pinned(image, "deploy/Dockerfile")
    rust = tomllib.loads(read("Cargo.toml"))["workspace"]["package"]["rust-version"]
    builder = f"rust:{rust}-bookworm"
    check(builder in {stage[0] for stage in stages}, f"deploy/Dockerfile: not built by {builder}")
    last = steps[max(i for i, step in enumerate(steps) if step[0] == "FROM") :]
    user = [rest for word, rest in last if word == "USER"]
    ours = {service["user"] for name, service in services.items() if "build" in service}
    check(set(user) == ours, "deploy/Dockerfile: USER is not the user that docker-compose.yml names")
    check(any(word == "HEALTHCHECK" for word, _ in last), "deploy/Dockerfile: no HEALTHCHECK")
    packed = set(re.findall(r"target/release/(watchbell[a-z-]*)", read("deploy/Dockerfile")))
    manifests = [main.parents[1] / "Cargo.toml" for main in Path("crates").glob("*/src/main.rs")]
    built = {tomllib.loads(read(manifest))["package"]["name"] for manifest in manifests}
    check(packed == built, f"deploy/Dockerfile: packs {sorted(packed)}, but the workspace builds {sorted(built)}")
    for name, service in services.items():
        binary = service.get("entrypoint", [None])[0]
        check(binary is None or binary in packed, f"docker-compose.yml: {name}: the image has no {binary}")
    ignored = read(".dockerignore").splitlines()
    for path in (".env", ".git", "target"):
        check(path in ignored, f".dockerignore: {path} must not enter an image")


def check_pinned(image, where):
    """A version line and a Debian release at least, so that a rebuild brings fixes and no surprises."""
    _, _, tag = image.partition(":")
    check("bookworm" in tag or re.match(r"[\d$]", tag), f"{where}: {image} is not pinned")


def check_service(name, service, drain):
    """What every container must have, ours or not."""

    def has(holds, what):
        check(holds, f"docker-compose.yml: {name}: {what}")

    check_pinned(service["image"], f"docker-compose.yml: {name}")
    has(service.get("read_only") is True, "the root file system is not read-only")
    has(re.fullmatch(r"[1-9]\d*:[1-9]\d*", str(service.get("user"))), "runs as root")
    has(service.get("cap_drop") == ["ALL"] and "cap_add" not in service, "keeps capabilities")
    has("no-new-privileges:true" in service.get("security_opt", []), "may gain privileges")
    has(service.get("healthcheck", {}).get("test"), "no health check")
    has(service.get("restart") == "unless-stopped", "is not restarted")
    has(service.get("logging", {}).get("options", {}).get("max-size"), "its log may fill the disk")
    for limit in ("mem_limit", "cpus", "pids_limit"):
        has(limit in service, f"no {limit}")
    has(seconds(service.get("stop_grace_period", "10s")) > drain, "is killed before it has drained")
    for volume in service.get("volumes", []):
        source = re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", volume).split(":")[0]
        has(not source.startswith(".") or Path(source).is_file(), f"{source} does not exist")


def check_compose(compose, env, drain):
    services = compose["services"]
    for name, service in services.items():
        check_service(name, service, drain)
        published = [int(port.rsplit(":", 1)[1]) for port in service.get("ports", [])]
        expected = [PORTS[name]] if name in PORTS else []
        check(published == expected, f"docker-compose.yml: {name} publishes {published}")
        outside = "outside" in service["networks"]
        check(outside or not published, f"docker-compose.yml: {name} publishes a port but is inside only")
        if "build" in service:
            url = service["healthcheck"]["test"][-1]
            listen = env[HEALTH.get(name, "WATCHBELL_HTTP_HEALTH_LISTEN")]
            check(f":{port_of(listen)}/" in url, f"docker-compose.yml: {name}: its health is on {listen}, not on {url}")
    for store in ("redis", "postgres"):
        check(services[store]["networks"] == ["inside"], f"docker-compose.yml: {store} is reachable from outside")
    check(compose["networks"]["inside"]["internal"] is True, "docker-compose.yml: the inside network has a way out")
    doors = {"SMTP": "smtp-ingestor", "HTTP": "webhook-ingestor", "HTTP_API": "api-server", "GATEWAY": "key-gateway"}
    for setting, name in doors.items():
        listen = env[f"WATCHBELL_{setting}_LISTEN"]
        check(port_of(listen) == PORTS[name], f".env.example: {name} listens on {listen}, not on {PORTS[name]}")
    version = tomllib.loads(read("Cargo.toml"))["workspace"]["package"]["version"]
    check(env["IMAGE_TAG"] == version, f".env.example: IMAGE_TAG is not the workspace's version {version}")


def check_redis(service):
    lines = set(read("deploy/redis.conf").splitlines())
    for line in REDIS - lines:
        check(False, f"deploy/redis.conf: `{line}` is missing")
    memory = next(line.split()[1] for line in lines if line.startswith("maxmemory "))
    check(2 * size(memory) <= size(service["mem_limit"]), "docker-compose.yml: redis: no room to rewrite its file")


def check_units(drain):
    shared = []
    for unit in ("watchbell.service", "watchbell@.service"):
        text = read(f"deploy/systemd/{unit}")
        timeout = re.search(r"^TimeoutStopSec=(.*)$", text, re.M).group(1)
        check(seconds(timeout) > drain, f"deploy/systemd/{unit}: is killed before it has drained")
        shared.append(text.partition("# --- The same lines")[2].partition("\n")[2].partition("# --- End")[0])
    check(shared[0] and shared[0] == shared[1], "deploy/systemd: the lines that both units share differ")


def main():
    settings, known = setting_names()
    env = example_env()
    compose = yaml.safe_load(read("docker-compose.yml"))
    drain = max(seconds(settings["stop"]["drain"]), seconds(env["WATCHBELL_STOP_DRAIN"]))
    check_names(known, env)
    check_compose(compose, env, drain)
    check_dockerfile(compose["services"])
    check_redis(compose["services"]["redis"])
    check_units(drain)
    for problem in PROBLEMS:
        print(problem, file=sys.stderr)
    return 1 if PROBLEMS else 0


if __name__ == "__main__":
    sys.exit(main())
