#!/bin/sh
# Checks what Docker Compose, a container engine and systemd would read, with their own parsers where those run
# without the engine, and with deploy/check.py for what no parser knows: that the files agree with each other.
#
# Debian packages: docker-compose python3-yaml shellcheck systemd yamllint
set -eu
cd "$(dirname "$0")/.."

# Debian's Python, because Debian's python3-yaml is installed for it and for no other.
python=/usr/bin/python3
# In tenths, as systemd-analyze counts its exposure level: 1.4 is what remains of a service that talks to the
# network, calls out through the host's resolver and binds port 25.
exposure_max=14

fail() {
    echo "deploy/check.sh: $*" >&2
    exit 1
}

need() {
    command -v "$1" >/dev/null || fail "$1 is missing; on Debian: apt-get install $2"
}

need shellcheck shellcheck
need yamllint yamllint
need systemd-analyze systemd
need "$python" python3
"$python" -c 'import yaml' 2>/dev/null || fail "PyYAML is missing; on Debian: apt-get install python3-yaml"
if docker compose version >/dev/null 2>&1; then
    compose='docker compose'
else
    need docker-compose docker-compose
    compose='docker-compose'
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

shellcheck deploy/*.sh
yamllint --strict --config-data '{rules: {key-duplicates: enable, indentation: enable, trailing-spaces: enable}}' \
    docker-compose.yml deploy/*.yaml

# Compose: the schema, the interpolation, and that a missing secret is named.
cp docker-compose.yml "$tmp"
ln -s "$PWD/deploy" "$tmp/deploy"
config() {
    # A clean environment: what the caller exported must not fill a gap. $compose may be two words.
    # shellcheck disable=SC2086
    (cd "$tmp" && env -i PATH="$PATH" HOME="${HOME-/}" $compose config --quiet 2>&1)
}
secrets='POSTGRES_PASSWORD REDIS_PASSWORD WATCHBELL_SECURITY_MASTER_KEY'
for missing in $secrets; do
    cp .env.example "$tmp/.env"
    for secret in $secrets; do
        [ "$secret" = "$missing" ] || sed -i "s/^$secret=\$/$secret=c2VjcmV0/" "$tmp/.env"
    done
    if said=$(config); then
        fail "Compose starts without $missing"
    fi
    case $said in
    *"$missing"*) ;;
    *) fail "Compose does not say that $missing is missing: $said" ;;
    esac
done
sed -i 's/^\([A-Z_]*\(PASSWORD\|MASTER_KEY\)\)=$/\1=c2VjcmV0/' "$tmp/.env"
said=$(config) || fail "$said"

# systemd: the syntax and how exposed each unit is. The commands need not be installed here.
for instance in smtp-ingestor webhook-ingestor alert-analyzer dispatcher api-server key-gateway; do
    sed 's|/usr/local/bin/watchbell-%i|/bin/true|' deploy/systemd/watchbell@.service >"$tmp/watchbell@$instance.service"
done
sed 's|/usr/local/bin/watchbell |/bin/true |' deploy/systemd/watchbell.service >"$tmp/watchbell.service"
cp -r deploy/systemd/*.service.d "$tmp"
# An unknown directive is only a warning, so anything that is said is a failure.
said=$(systemd-analyze verify --man=no "$tmp"/*.service 2>&1) || fail "$said"
[ -z "$said" ] || fail "$said"
said=$(systemd-analyze security --offline=yes --no-pager --threshold=$exposure_max "$tmp"/*.service 2>&1) ||
    fail "more exposed than $exposure_max tenths: $(echo "$said" | grep Overall)"

"$python" deploy/check.py
