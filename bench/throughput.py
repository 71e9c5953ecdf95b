"""Accepted mails and pushes per second, Watchbell beside its peers, in alternating rounds.

Everything runs on loopback and is stopped by its process id. Prints one table; `--rounds` and `--quick`
shorten it for a look.
"""
import argparse
import contextlib
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / "target/release"
PEERS = ROOT / "bench/peers"
TOKEN = "bench-push-token-0123456789abcdef"
KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
PROVISION = f"""
channels:
  - {{ name: sink, platform: webhook, target: "http://127.0.0.1:9/", push_token: {TOKEN} }}
default_channels: [sink]
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        if process.poll() is not None:
            sys.exit(f"{process.args} ended with {process.returncode}")
        time.sleep(0.02)
    sys.exit(f"nothing listens on port {port} after {seconds} s")


class Bench:
    """Owns the processes and folders of a run."""

    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="watchbell-bench-"))
        self.processes = []

    def start(self, command, port, env=None, cwd=None):
        log = open(self.dir / f"{Path(command[0]).name}-{port}.log", "wb")
        environment = {**os.environ, **(env or {})}
        process = subprocess.Popen([str(part) for part in command], env=environment, cwd=cwd, stdout=log, stderr=log)
        self.processes.append(process)
        wait_for_port(port, process)
        return process

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.processes.remove(process)

    def close(self):
        for process in list(self.processes):
            self.stop(process)
        shutil.rmtree(self.dir, ignore_errors=True)

    def redis(self, durable):
        port = free_port()
        folder = self.dir / f"redis-{port}"
        folder.mkdir()
        # Durable as it is shipped, with room for what nobody drains here; the peer gets Redis at its fastest.
        options = [ROOT / "deploy/redis.conf", "--maxmemory", "12gb"] if durable else ["--appendonly", "no", "--save", ""]
        self.start(["redis-server", *options, "--port", port, "--dir", folder], port)
        return port

    def settings(self, queue_port=None):
        """The environment of one Watchbell installation, with its configuration already published."""
        data = Path(tempfile.mkdtemp(dir=self.dir))
        (data / "provision.yaml").write_text(PROVISION)
        ports = {name: free_port() for name in ("smtp", "http", "api")}
        env = {
            "WATCHBELL_DATA_DIR": str(data),
            "WATCHBELL_SMTP_LISTEN": f"127.0.0.1:{ports['smtp']}",
            "WATCHBELL_HTTP_LISTEN": f"127.0.0.1:{ports['http']}",
            "WATCHBELL_HTTP_API_LISTEN": f"127.0.0.1:{ports['api']}",
            "WATCHBELL_PROVISION_FILE": str(data / "provision.yaml"),
            "WATCHBELL_SECURITY_MASTER_KEY": KEY,
        }
        if queue_port:
            env["WATCHBELL_QUEUE_URL"] = f"redis://127.0.0.1:{queue_port}/0"
        publisher = self.start([BIN / "watchbell-api-server"], ports["api"], env)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if urllib.request.urlopen(f"http://127.0.0.1:{ports['api']}/readyz").status == 200:
                    break
            time.sleep(0.05)
        self.stop(publisher)
        return env, ports


def smtp_rate(port, messages):
    started = time.monotonic()
    command = ["smtp-source", "-d", "-s", "32", "-m", str(messages), "-l", "2048"]
    command += ["-f", "a@example.com", "-t", "b@example.com", f"127.0.0.1:{port}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return messages / (time.monotonic() - started)


def push_rate(url, seconds):
    command = ["wrk", "-t2", "-c64", f"-d{seconds}s", "-s", str(PEERS / "push.lua"), url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", output)
    if refused:
        sys.exit(f"{url}: {refused.group(0)}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1))


@contextlib.contextmanager
def door(bench, service, on_redis):
    """The ports of an ingestor whose queue is new and empty: what a backlog of millions costs is another question."""
    started = len(bench.processes)
    env, ports = bench.settings(bench.redis(True) if on_redis else None)
    bench.start([BIN / f"watchbell-{service}-ingestor"], ports["smtp" if service == "smtp" else "http"], env)
    try:
        yield ports
    finally:
        for process in reversed(bench.processes[started:]):
            bench.stop(process)
        shutil.rmtree(env["WATCHBELL_DATA_DIR"])


def alternate(title, contenders, rounds):
    """Takes the contenders in turn, `rounds` times, after one unmeasured round."""
    rates = {name: [] for name, _ in contenders}
    for number in range(rounds + 1):
        for name, measure in contenders:
            rate = measure()
            if number:
                rates[name].append(rate)
    print(f"\n{title} (per second; median of {rounds} rounds, minimum – maximum)")
    for name, _ in contenders:
        print(f"  {name:<34}{statistics.median(rates[name]):>9.0f}   {min(rates[name]):.0f} – {max(rates[name]):.0f}")
    return rates


def ratios(rates, ours, peers):
    for our in ours:
        for peer, aim in peers:
            each = [a / b for a, b in zip(rates[our], rates[peer])]
            middle = statistics.median(each)
            verdict = "" if aim is None else f"   aim ≥ {aim}: {'met' if middle >= aim else 'MISSED'}"
            print(f"  {our} / {peer}: {middle:.2f} ({min(each):.2f} – {max(each):.2f}){verdict}")


def mails(bench, options):
    plain = bench.redis(False)
    alertflow, sink = free_port(), free_port()
    bench.start(
        [sys.executable, PEERS / "alertflow_ingest.py", "--port", alertflow, "--redis", f"redis://127.0.0.1:{plain}/0"],
        alertflow,
    )
    bench.start(["smtp-sink", "-u", "nobody", f"127.0.0.1:{sink}", "1024"], sink)

    def ours(on_redis):
        with door(bench, "smtp", on_redis) as ports:
            smtp_rate(ports["smtp"], options.mails // 10)
            return smtp_rate(ports["smtp"], options.mails)

    contenders = [
        ("AlertFlow design (not durable)", lambda: smtp_rate(alertflow, options.mails)),
        ("smtp-sink (keeps nothing)", lambda: smtp_rate(sink, options.mails)),
        ("watchbell on Redis, durable", lambda: ours(True)),
        ("watchbell embedded, durable", lambda: ours(False)),
    ]
    rates = alternate("Mails accepted", contenders, options.rounds)
    ratios(rates, [name for name, _ in contenders[2:]], [(contenders[0][0], 3.5), (contenders[1][0], 0.6)])


def pushes(bench, options):
    folder = Path(tempfile.mkdtemp(dir=bench.dir))
    bench.start(["nginx", "-c", PEERS / "nginx-peers.conf", "-p", f"{folder}/", "-g", "daemon off;"], 7003)

    def ours(on_redis):
        with door(bench, "webhook", on_redis) as ports:
            return push_rate(f"http://127.0.0.1:{ports['http']}/api/v1/push/{TOKEN}", options.seconds)

    contenders = [
        ("nginx answering 202", lambda: push_rate("http://127.0.0.1:7003/", options.seconds)),
        ("watchbell on Redis, durable", lambda: ours(True)),
        ("watchbell embedded, durable", lambda: ours(False)),
    ]
    rates = alternate("Pushes accepted", contenders, options.rounds)
    ratios(rates, [name for name, _ in contenders[1:]], [(contenders[0][0], 0.25)])


def physical(bench):
    port = bench.redis(True)
    for title, pipeline in (("one by one", 1), ("pipelined by 16", 16)):
        command = ["redis-benchmark", "-p", str(port), "-t", "lpush", "-d", "2048", "-c", "64", "-n", "50000"]
        output = subprocess.run([*command, "-P", str(pipeline), "-q"], check=True, capture_output=True, text=True).stdout
        print(f"  Redis LPUSH of 2 kB, appendfsync always, {title}: {output.strip().splitlines()[-1].split(chr(13))[-1]}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--mails", type=int, default=10_000, help="mails per round and contender")
    arguments.add_argument("--seconds", type=int, default=10, help="length of a round of pushes")
    arguments.add_argument("--quick", action="store_true", help="one short round, for a look")
    options = arguments.parse_args()
    if options.quick:
        options.rounds, options.mails, options.seconds = 1, 3_000, 3
    for part in (mails, pushes):
        bench = Bench()
        try:
            part(bench, options)
        finally:
            bench.close()
    bench = Bench()
    try:
        print("\nWhat the machine allows")
        physical(bench)
    finally:
        bench.close()


if __name__ == "__main__":
    main()
