"""The key gateway beside nginx and the Python peer, in alternating rounds: requests a second and latency with wrk, then
many streams at once, then a million bindings, then a crowd with one key that nobody remembers.

Everything runs on loopback and is stopped by its process id. One worker thread each: our binaries take half as many as
there are processors, so the gateway gets two of them; nginx and uvicorn have one worker. The upstream is nginx.
"""
import argparse
import asyncio
import contextlib
import hashlib
import hmac
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from throughput import BIN, KEY, PEERS, Bench, alternate, free_port, ratios  # noqa: E402

BEARER = "sk-bench-0123456789abcdefghij"
SECRET = "a secret of the benchmark"
NGINX_PROXY, NGINX_UPSTREAM = 7002, 7100


def wrk(port, seconds, connections, *more):
    """Requests per second, and the latency at the 50th and the 99th percentile in milliseconds."""
    # The slowest of the peers lets some wait longer than wrk's two seconds.
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency", *more]
    command += ["-H", f"Authorization: Bearer {BEARER}"]
    command.append(f"http://127.0.0.1:{port}/v1/chat/completions")
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", output)
    if refused:
        sys.exit(f"port {port}: {refused.group(0)}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1))
    return rate, latency(output, "50%"), latency(output, "99%")


def latency(output, percentile):
    number, unit = re.search(rf"{percentile}\s+([\d.]+)(us|ms|s)", output).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def gateway(bench, upstream, more=None, data=None):
    """A gateway of its own process on SQLite; its port and process."""
    port = free_port()
    data = data or Path(tempfile.mkdtemp(dir=bench.dir))
    env = {
        "WATCHBELL_DATA_DIR": str(data),
        "WATCHBELL_SECURITY_MASTER_KEY": KEY,
        "WATCHBELL_GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "WATCHBELL_GATEWAY_UPSTREAM": f"http://127.0.0.1:{upstream}",
        "WATCHBELL_GATEWAY_HMAC_SECRET": SECRET,
        "WATCHBELL_LOG_FILTER": "error",
        **(more or {}),
    }
    return port, bench.start(["taskset", "-c", "0,1", BIN / "watchbell-key-gateway"], port, env)


def requests(bench, options):
    nginx(bench)
    ours, _ = gateway(bench, NGINX_UPSTREAM)
    plain, sentinel = bench.redis(False), free_port()
    uvicorn = [sys.executable, "-m", "uvicorn", "sentinel_proxy:app", "--port", sentinel, "--workers", 1, "--no-access-log"]
    env = {"UPSTREAM": f"http://127.0.0.1:{NGINX_UPSTREAM}", "REDIS_URL": f"redis://127.0.0.1:{plain}/0"}
    bench.start(uvicorn, sentinel, env, PEERS)
    names = "nginx proxy_pass", "sentinel_proxy.py", "watchbell-key-gateway"
    ports = dict(zip(names, (NGINX_PROXY, sentinel, ours)))
    latencies = {}

    def measure(name, kind, *more):
        def run():
            rate, *measured = wrk(ports[name], options.seconds, options.connections, *more)
            latencies.setdefault((kind, name), []).append(measured)
            return rate

        return name, run

    rates = alternate("Requests through the gateway", [measure(name, "busy") for name in names], options.rounds)
    ratios(rates, [names[2]], [(names[0], 0.8), (names[1], 60)])
    pausing = [measure(name, "pausing", "-s", str(PEERS / "pauses.lua")) for name in (names[0], names[2])]
    alternate("The same from clients that pause for 1 to 9 ms", pausing, options.rounds)
    print("\nLatency in ms (median of the rounds): p50, p99")
    for (kind, name), rounds in latencies.items():
        # The first round is not measured.
        middle, tail = (statistics.median(column) for column in zip(*rounds[1:]))
        print(f"  {kind:<10}{name:<34}{middle:>9.2f}{tail:>9.2f}")
    for kind in ("busy", "pausing"):
        each = [a[1] / b[1] for a, b in zip(latencies[kind, names[2]][1:], latencies[kind, names[0]][1:])]
        middle = statistics.median(each)
        verdict = f"aim ≤ 1.3: {'met' if middle <= 1.3 else 'MISSED'}"
        print(f"  p99 {kind}, {names[2]} / {names[0]}: {middle:.2f} ({min(each):.2f} – {max(each):.2f})   {verdict}")


def nginx(bench):
    folder = Path(tempfile.mkdtemp(dir=bench.dir))
    bench.start(["nginx", "-c", PEERS / "nginx-peers.conf", "-p", f"{folder}/", "-g", "daemon off;"], NGINX_PROXY)


def resident_kb(process):
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))


async def serve_events(reader, writer, events, pause):
    """An upstream of server-sent events."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    for number in range(events):
        event = b"data: %d\n\n" % number
        writer.write(b"%x\r\n%s\r\n" % (len(event), event))
        await writer.drain()
        await asyncio.sleep(pause)
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    writer.close()


async def read_events(port, number):
    """One stream: the time to its first byte, the longest pause, and how many events came."""
    started = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET /stream HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {BEARER}-{number % 100}\r\n\r\n"
    writer.write(request.encode())
    first, last, longest, events = None, started, 0.0, 0
    while chunk := await reader.read(65536):
        now = time.monotonic()
        first = first or now - started
        longest, last = max(longest, now - last), now
        events += chunk.count(b"data: ")
        if chunk.endswith(b"0\r\n\r\n"):
            break
    writer.close()
    return first, longest, events


async def streams(bench, options):
    events, pause = 10, 1.0
    upstream = await asyncio.start_server(
        lambda reader, writer: serve_events(reader, writer, events, pause), "127.0.0.1", 0, backlog=4096
    )
    port, process = gateway(bench, upstream.sockets[0].getsockname()[1], {"WATCHBELL_GATEWAY_FIRST_BINDS_PER_MINUTE": "1000"})
    before = resident_kb(process)
    reading = asyncio.gather(*(read_events(port, number) for number in range(options.streams)))
    await asyncio.sleep(events * pause / 2)
    during = resident_kb(process)
    ended = await reading
    firsts = sorted(first for first, _, _ in ended)
    print(f"\n{options.streams} streams at once")
    print(f"  memory per stream: {(during - before) / options.streams:.1f} kB (in all {during / 1024:.0f} MB)")
    print(f"  first byte: p50 {firsts[len(firsts) // 2] * 1000:.0f} ms, p99 {firsts[len(firsts) * 99 // 100] * 1000:.0f} ms")
    print(f"  longest pause: {max(longest for _, longest, _ in ended):.2f} s, where the upstream pauses {pause} s")
    whole = sum(count == events for _, _, count in ended)
    print(f"  whole: {whole} of {options.streams}")
    upstream.close()


def wait_for_store(file):
    """Until the gateway has made its tables."""
    for _ in range(1000):
        with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(sqlite3.connect(file)) as store:
            store.execute("SELECT COUNT(*) FROM bindings")
            return
        time.sleep(0.02)
    sys.exit(f"{file} has no bindings after 20 s")


def bindings(bench, options):
    """Memory and time with many bindings: each key once from the store, then from memory."""
    nginx(bench)
    data = Path(tempfile.mkdtemp(dir=bench.dir))
    _, process = gateway(bench, NGINX_UPSTREAM, data=data)
    wait_for_store(data / "watchbell.db")
    bench.stop(process)
    with sqlite3.connect(data / "watchbell.db") as store:
        rows = ((key_hash(number),) for number in range(1, options.bindings + 1))
        statement = "INSERT INTO bindings VALUES (1, ?, 'sk-…', 'single', '127.0.0.1/32', 0, 1, 9999999999999)"
        store.executemany(statement, rows)
    store.close()
    # Room for one key more than there are in each of the two generations, so that all stay.
    room = {"WATCHBELL_GATEWAY_CACHE_ENTRIES": str(3 * options.bindings)}
    port, process = gateway(bench, NGINX_UPSTREAM, room, data)
    before = resident_kb(process)
    print(f"\n{options.bindings} bindings")
    for title in ("from the store", "from memory"):
        started, seen = time.monotonic(), 0
        while seen < options.bindings:
            seen += keys(port, options.bindings, seen)
        print(f"  {title}: {seen / (time.monotonic() - started):.0f} requests per second")
    print(f"  memory: {(resident_kb(process) - before) * 1024 / options.bindings:.0f} bytes for each, {resident_kb(process) / 1024:.0f} MB in all")


def key_hash(number):
    return hmac.new(SECRET.encode(), b"sk-bench-%08d" % number, hashlib.sha256).hexdigest()


def keys(port, number, first):
    """Requests with keys after the first ones, for some seconds; how many were answered."""
    command = ["wrk", "-t1", "-c64", "-d10s", "-s", str(PEERS / "keys.lua"), f"http://127.0.0.1:{port}"]
    env = {**os.environ, "KEYS": str(number), "FIRST": str(first)}
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", output)
    if refused:
        sys.exit(f"port {port}: {refused.group(0)}")
    return int(re.search(r"(\d+) requests in", output).group(1))


async def use_once(port, key, ready):
    """The status of one request, sent as soon as all are connected."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await ready.wait()
    writer.write(f"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
    status = (await reader.readline()).split()[1].decode()
    writer.close()
    return status


async def use_at_once(port, key, number):
    ready = asyncio.Barrier(number)
    return await asyncio.gather(*(use_once(port, key, ready) for _ in range(number)))


def lookups(port):
    """How often the store was asked for a binding."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    return sum(int(float(count)) for count in re.findall(r"^watchbell_gateway_store_lookups_total ([\d.e+]+)", text, re.M))


def cold(bench, options):
    """Many first requests at once with a key that is bound, of a gateway that has just started."""
    nginx(bench)
    data, health = Path(tempfile.mkdtemp(dir=bench.dir)), free_port()
    port, process = gateway(bench, NGINX_UPSTREAM, data=data)
    for key in (BEARER, "sk-warm"):
        asyncio.run(use_at_once(port, key, 1))
    bench.stop(process)
    port, _ = gateway(bench, NGINX_UPSTREAM, {"WATCHBELL_HTTP_HEALTH_LISTEN": f"127.0.0.1:{health}"}, data)
    # Its store is open.
    asyncio.run(use_at_once(port, "sk-warm", 1))
    before = lookups(health)
    answers = asyncio.run(use_at_once(port, BEARER, options.streams))
    print(f"\n{options.streams} requests at once with one bound key and a cold cache")
    print(f"  answered with 200: {answers.count('200')} of {options.streams}")
    print(f"  look-ups in the store: {lookups(health) - before}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=int, default=10, help="length of a round")
    arguments.add_argument("--connections", type=int, default=64)
    arguments.add_argument("--streams", type=int, default=2_000)
    arguments.add_argument("--bindings", type=int, default=1_000_000)
    arguments.add_argument("--quick", action="store_true", help="one short round, for a look")
    # bench/run gives all benchmarks the same options.
    options, _ = arguments.parse_known_args()
    if options.quick:
        options.rounds, options.seconds, options.streams, options.bindings = 1, 2, 200, 20_000
    for part in (requests, lambda bench, options: asyncio.run(streams(bench, options)), bindings, cold):
        bench = Bench()
        try:
            part(bench, options)
        finally:
            bench.close()


if __name__ == "__main__":
    main()
